use token_cache_core::{Entry, PutMode, PutResult, ReadOptions, WriteOptions};

use crate::fault::fault;

/// Stores a part of a write that it refuses. `HOW` is the part:
/// - `w`: the whole write
/// - `v`: the value, under the version that is stored
/// - `x`: the expiry
/// - `d`: nothing, but the stored entry is removed
/// - `o`: the whole write, if it releases a lock
#[derive(Default)]
pub(crate) struct StoresWhatItRefuses<const HOW: char>;

fault! {
    impl[const HOW: char] StoresWhatItRefuses<HOW> {
        write(self, healthy, at, entry, options) {
            let now = options.now;
            let releases = options.releasing.is_some();
            let written = healthy.write(at, entry.clone(), options).await?;
            if written == PutResult::Stored {
                return Ok(written);
            }
            let there = healthy.read(at, ReadOptions::at(now)).await?;
            let stored = match (HOW, there) {
                ('w', _) => Some(entry),
                ('o', _) => releases.then_some(entry),
                ('v', Some(there)) => Some(Entry::new(
                    entry.stored(),
                    there.version(),
                    there.expires_at(),
                )),
                ('x', Some(there)) => Some(Entry::new(
                    there.stored(),
                    there.version(),
                    entry.expires_at(),
                )),
                ('d', Some(_)) => {
                    healthy.remove(at).await?;
                    None
                }
                _ => None,
            };
            if let Some(stored) = stored {
                let options = WriteOptions::at(now).mode(PutMode::Overwrite);
                let _ = healthy.write(at, stored, options).await?;
            }
            Ok(written)
        }
    }
}

//! The item of an entry: `d` the value and a byte for the format, `v` its version, `x` its expiry in milliseconds, `c` the versions of
//! its last creating writes, the oldest first, and `exp`, for the table's time-to-live.
//!
//! A removal takes `d`, `v` and `x` away and leaves the rest, so that a late copy of a creating write still finds its version in
//! `c`. The service refuses a request minutes after it was signed; the item is kept for half an hour past the last write at the least.

use std::time::Duration;

use token_cache_core::{Entry, Error, ErrorKind, REMEMBERED_CREATIONS, Result, Timestamp, Version};

use crate::{
    client::{Expression, Item, Value},
    record::corrupt,
};

const FORMAT: u8 = 1;

/// An item may have 400 KB, the names of its attributes, its keys and the versions in `c` included; those stay below 1.5 KB.
pub(crate) const MAX_ENTRY_BYTES: usize = 400 * 1024 - 1536;

/// How long an item is kept past its last write, at the least: longer than any request can be on its way.
const RETENTION: Duration = Duration::from_mins(30);

/// How many versions `c` has at the most. Then the older half is forgotten, in a request of its own.
const MAX_CREATIONS: usize = 2 * REMEMBERED_CREATIONS;

const SET: &str = "SET #d = :value, #v = :own, #x = :x, #exp = :exp";

pub(crate) fn check_size(entry: &Entry) -> Result<()> {
    if entry.stored().len() > MAX_ENTRY_BYTES {
        return Err(Error::new(ErrorKind::TooLarge, "write an entry")
            .store(crate::STORE)
            .message(format!(
                "the value is over {MAX_ENTRY_BYTES} bytes, the most that fits into an item"
            )));
    }
    Ok(())
}

/// Writes an entry, whatever is there.
pub(crate) fn overwrite(entry: &Entry, now: Timestamp) -> Expression {
    set(SET, entry, now)
}

/// Writes an entry over `over` alone. Its own version is there already when it is a retry's.
pub(crate) fn replace(entry: &Entry, over: Version, now: Timestamp) -> Expression {
    overwrite(entry, now)
        .only_if("(#v = :over AND #x > :now) OR #v = :own")
        .value(":now", now.as_millis())
        .value(":over", over.as_bytes().as_slice())
}

/// Writes an entry where none is, if it has not done so before.
pub(crate) fn create(entry: &Entry, now: Timestamp) -> Expression {
    let append = format!("{SET}, #c = list_append(if_not_exists(#c, :none), :created)");
    let own = entry.version().as_bytes().to_vec();
    set(&append, entry, now)
        .only_if(
            "(attribute_not_exists(#pk) OR #x <= :now OR (attribute_exists(#exp) \
             AND attribute_not_exists(#d) AND attribute_not_exists(#v) AND attribute_not_exists(#x))) \
             AND (attribute_not_exists(#c) \
             OR (attribute_type(#c, :list) AND NOT contains(#c, :own) AND size(#c) < :most))",
        )
        .value(":now", now.as_millis())
        .value(":list", "L")
        .value(":none", Value::list([]))
        .value(":created", Value::list([own]))
        .value(":most", MAX_CREATIONS as u64)
        .return_existing()
}

fn set(update: &str, entry: &Entry, now: Timestamp) -> Expression {
    let mut value = Vec::with_capacity(entry.stored().len() + 1);
    value.extend_from_slice(entry.stored());
    value.push(FORMAT);
    Expression::set(update)
        .value(":value", value)
        .value(":own", entry.version().as_bytes().as_slice())
        .value(":x", entry.expires_at().as_millis())
        .value(":exp", seconds(entry.expires_at().max(now + RETENTION)))
}

/// Removes an entry, and leaves the versions that created it. What is there may be something else than an entry.
pub(crate) fn remove(now: Timestamp) -> Expression {
    Expression::set("SET #exp = if_not_exists(#exp, :exp) REMOVE #d, #v, #x")
        .only_if("attribute_exists(#pk)")
        .value(":exp", seconds(now + RETENTION))
}

/// What there was where an entry could not be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateConflict {
    /// The entry itself: its own write was carried out before.
    AlreadyWritten,
    /// Another entry, or the version of this one, which is gone.
    PreconditionFailed,
    /// As many versions as may be kept.
    TooManyCreations,
}

pub(crate) fn create_conflict(
    operation: &'static str,
    existing: &Item,
    entry: &Entry,
    now: Timestamp,
) -> Result<CreateConflict> {
    let own = entry.version();
    let lives = existing.number("x").is_some_and(|x| x > now.as_millis());
    if lives {
        let is_own = existing.bytes("v") == Some(own.as_bytes());
        return Ok(if is_own {
            CreateConflict::AlreadyWritten
        } else {
            CreateConflict::PreconditionFailed
        });
    }
    let Some(created) = existing.list("c") else {
        // What is there is no entry that was removed or has expired.
        let unreadable = existing.has("c");
        return if unreadable {
            Err(corrupt(operation, "the list of an entry's creations"))
        } else {
            Ok(CreateConflict::PreconditionFailed)
        };
    };
    let is_late = created.contains(&own.as_bytes().as_slice());
    if is_late || created.len() < MAX_CREATIONS {
        return Ok(CreateConflict::PreconditionFailed);
    }
    Ok(CreateConflict::TooManyCreations)
}

/// Forgets the older half of the versions in `c`.
pub(crate) fn trim_creations() -> Expression {
    let older: Vec<_> = (0..MAX_CREATIONS - REMEMBERED_CREATIONS)
        .map(|at| format!("#c[{at}]"))
        .collect();
    Expression::set(format!("REMOVE {}", older.join(", ")))
        .only_if("size(#c) >= :most")
        .value(":most", MAX_CREATIONS as u64)
}

/// The entry in an item, or `None` when it was removed.
pub(crate) fn decode(operation: &'static str, mut item: Item) -> Result<Option<Entry>> {
    if item.has("exp") && !["d", "v", "x"].iter().any(|name| item.has(name)) {
        return Ok(None);
    }
    let mut read = || {
        let version = Version::from_bytes(item.bytes("v")?.try_into().ok()?);
        let expires_at = Timestamp::from_millis(item.number("x")?);
        let mut value = item.take_bytes("d")?;
        (value.pop() == Some(FORMAT)).then(|| Entry::new(value, version, expires_at))
    };
    let entry = read().ok_or_else(|| corrupt(operation, "an entry"))?;
    Ok(Some(entry))
}

/// What has to be there for a session to end with its entry of `version`.
pub(crate) fn if_live_version(version: Version, now: Timestamp) -> Expression {
    Expression::condition("#v = :version AND #x > :now")
        .value(":version", version.as_bytes().as_slice())
        .value(":now", now.as_millis())
}

/// Removes an entry only while it is this one.
pub(crate) fn if_version(version: Version) -> Expression {
    Expression::condition("#v = :own").value(":own", version.as_bytes().as_slice())
}

/// A moment for the table's time-to-live, which counts whole seconds: never earlier.
pub(crate) fn seconds(moment: Timestamp) -> u64 {
    moment.as_millis().div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::keys::Key;

    fn key() -> Key {
        Key {
            pk: "tc:A:i.s".to_owned(),
            sk: "T:e:n".to_owned(),
        }
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_it_was_written(
            value in vec(any::<u8>(), 0..300), version in any::<[u8; 8]>(), expires_at in any::<u64>(),
        ) {
            let expires_at = Timestamp::from_millis(expires_at);
            let entry = Entry::new(value.clone(), Version::from_bytes(version), expires_at);
            let value = [value, vec![FORMAT]].concat();
            let item = Item::at(&key()).with("d", value).with("v", version.as_slice());
            let item = item.with("x", expires_at.as_millis()).with("exp", seconds(expires_at));
            prop_assert_eq!(decode("read", item).unwrap(), Some(entry));
        }

        #[test]
        fn create_conflicts_are_told_apart(
            version in any::<[u8; 8]>(), existing in any::<Option<([u8; 8], bool)>>(),
            is_own in any::<bool>(), created in 0_usize..MAX_CREATIONS + 1, is_late in any::<bool>(),
        ) {
            let now = Timestamp::from_secs(1_000);
            let entry = Entry::new(*b"own", Version::from_bytes(version), Timestamp::MAX);
            let mut created: Vec<Vec<u8>> = (0..created).map(|n| (n as u64).to_be_bytes().to_vec()).collect();
            created.retain(|created| *created != version);
            if is_late && !created.is_empty() {
                created[0] = version.to_vec();
            }
            let (full, is_late) = (created.len() >= MAX_CREATIONS, created.first() == Some(&version.to_vec()));
            let mut item = Item::at(&key()).with("c", Value::list(created)).with("exp", 7_u64);
            let lives = existing.is_some_and(|(_, lives)| lives);
            if let Some((other, lives)) = existing {
                let existing = if is_own { version } else { other };
                item = item.with("d", vec![FORMAT]).with("v", existing.as_slice());
                item = item.with("x", now.as_millis() + u64::from(lives));
            }
            let expected = if lives && (is_own || existing.is_some_and(|(other, _)| other == version)) {
                CreateConflict::AlreadyWritten
            } else if full && !lives && !is_late {
                CreateConflict::TooManyCreations
            } else {
                CreateConflict::PreconditionFailed
            };
            prop_assert_eq!(create_conflict("write", &item, &entry, now).unwrap(), expected);
        }

        #[test]
        fn an_item_that_is_not_ours_is_told(
            value in vec(any::<u8>(), 0..30), version in vec(any::<u8>(), 0..12), kind in 0_u8..4,
        ) {
            let with_own_retries = value.last() == Some(&FORMAT) && version.len() == 8;
            let item = Item::at(&key());
            let (item, with_own_retries) = match kind {
                0 => (item.with("d", value).with("v", version).with("x", 7_u64), with_own_retries),
                1 => (item.with("d", value).with("v", version), false),
                2 => (item.with("d", "text").with("v", version).with("x", 7_u64), false),
                _ => (item, false),
            };
            let read = decode("read", item);
            prop_assert_eq!(read.is_ok(), with_own_retries);
            prop_assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::Corrupt));
        }
    }

    #[test]
    fn a_removed_entry_is_absent_and_less_than_that_is_corrupt() {
        let removed = Item::at(&key()).with("exp", 7_u64);
        assert_eq!(decode("read", removed.clone()).unwrap(), None);
        let created = removed.with("c", Value::list([vec![7; 8]]));
        assert_eq!(decode("read", created.clone()).unwrap(), None);
        for name in ["d", "v"] {
            let part = created.clone().with(name, vec![FORMAT]);
            assert_eq!(decode("read", part).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        let part = created.with("x", 7_u64);
        assert_eq!(decode("read", part).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn the_largest_entry_fits_into_an_item() {
        let longest = 64 + ":A:".len() + 2 * 22 + 1 + "T::".len() + 2 * 22;
        let names = "pkskdvxexpc".len();
        // A list has 3 bytes, and 1 for each of its values.
        let created = 3 + MAX_CREATIONS * (8 + 1);
        let numbers = 2 * 21;
        let complete = MAX_ENTRY_BYTES + 1 + 8 + longest + names + numbers + created;
        assert!(complete <= 400 * 1024, "{complete}");
    }
}

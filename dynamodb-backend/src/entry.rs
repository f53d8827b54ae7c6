//! The item of an entry.
//!
//! | attribute | value |
//! |---|---|
//! | `d` | the value, and a byte for the format |
//! | `v` | the version |
//! | `x` | the expiry, in milliseconds |
//! | `c` | the versions of the last creating writes, the oldest first |
//! | `exp` | when the table may delete the item |
//!
//! A removal removes `d`, `v` and `x` and leaves the rest. A late copy of a creating write still finds its version in `c`. The service
//! refuses a request minutes after it was signed, and the item is kept for at least half an hour after the last write.

use std::time::Duration;

use token_cache_core::{Entry, Error, ErrorKind, REMEMBERED_CREATIONS, Result, Timestamp, Version};

use crate::{
    client::{Expression, Item, Value},
    record::corrupt,
};

const FORMAT: u8 = 1;

/// The largest value of an entry. An item may have 400 KB; the attribute names, the keys and the versions in `c` need up to 1.5 KB.
pub(crate) const MAX_ENTRY_BYTES: usize = 400 * 1024 - 1536;

/// The least time that an item is kept after its last write: longer than any request is in flight.
const RETENTION: Duration = Duration::from_mins(30);

/// The most versions in `c`. When it is reached, a request removes the older half.
const MAX_CREATIONS: usize = 2 * REMEMBERED_CREATIONS;

const SET: &str = "SET #d = :value, #v = :own, #x = :x, #exp = :exp";

pub(crate) fn check_size(entry: &Entry) -> Result<()> {
    if entry.stored().len() > MAX_ENTRY_BYTES {
        return Err(Error::new(ErrorKind::TooLarge, "write an entry")
            .store(crate::STORE)
            .message(format!(
                "the value is larger than {MAX_ENTRY_BYTES} bytes, the limit of a DynamoDB item; store a smaller value"
            )));
    }
    Ok(())
}

/// The update that writes an entry unconditionally.
pub(crate) fn overwrite(entry: &Entry, now: Timestamp) -> Expression {
    set(SET, entry, now)
}

/// The update that replaces the version `over`. In a retry, the item may already have the new version.
pub(crate) fn replace(entry: &Entry, over: Version, now: Timestamp) -> Expression {
    overwrite(entry, now)
        .only_if("(#v = :over AND #x > :now) OR #v = :own")
        .value(":now", now.as_millis())
        .value(":over", over.as_bytes().as_slice())
}

/// The update that creates an entry, if the entry is missing and this write has not created it before.
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

/// The update that removes an entry and keeps the versions of its creating writes. It also removes an unreadable entry.
pub(crate) fn remove(now: Timestamp) -> Expression {
    Expression::set("SET #exp = if_not_exists(#exp, :exp) REMOVE #d, #v, #x")
        .only_if("attribute_exists(#pk)")
        .value(":exp", seconds(now + RETENTION))
}

/// Why an entry was not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateConflict {
    /// The same write was applied before.
    AlreadyWritten,
    /// Another entry exists, or this write created an entry that was removed since.
    PreconditionFailed,
    /// `c` is full.
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
        // The item was not left by a removed or an expired entry.
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

/// The update that removes the older half of the versions in `c`.
pub(crate) fn trim_creations() -> Expression {
    let older: Vec<_> = (0..MAX_CREATIONS - REMEMBERED_CREATIONS)
        .map(|at| format!("#c[{at}]"))
        .collect();
    Expression::set(format!("REMOVE {}", older.join(", ")))
        .only_if("size(#c) >= :most")
        .value(":most", MAX_CREATIONS as u64)
}

/// Returns the entry in an item, or `None` if it was removed.
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

/// The condition that a live entry has this version.
pub(crate) fn if_live_version(version: Version, now: Timestamp) -> Expression {
    Expression::condition("#v = :version AND #x > :now")
        .value(":version", version.as_bytes().as_slice())
        .value(":now", now.as_millis())
}

/// The condition that an entry has this version.
pub(crate) fn if_version(version: Version) -> Expression {
    Expression::condition("#v = :own").value(":own", version.as_bytes().as_slice())
}

/// Returns a time in whole seconds for the table's time-to-live, rounded up.
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
        fn an_unreadable_item_is_corrupt(
            value in vec(any::<u8>(), 0..30), version in vec(any::<u8>(), 0..12), kind in 0_u8..4,
        ) {
            let is_valid = value.last() == Some(&FORMAT) && version.len() == 8;
            let item = Item::at(&key());
            let (item, is_valid) = match kind {
                0 => (item.with("d", value).with("v", version).with("x", 7_u64), is_valid),
                1 => (item.with("d", value).with("v", version), false),
                2 => (item.with("d", "text").with("v", version).with("x", 7_u64), false),
                _ => (item, false),
            };
            let read = decode("read", item);
            prop_assert_eq!(read.is_ok(), is_valid);
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

//! The item of an entry: `d` the value and a byte for the format, `v` its version, `x` its expiry in milliseconds, `exp` the same
//! in seconds, for the table's time-to-live.

use token_cache_core::{Entry, Error, ErrorKind, Over, Result, Timestamp, Version};

use crate::{
    client::{Item, Terms},
    keys::Key,
    record::corrupt,
};

const FORMAT: u8 = 1;

/// An item may have 400 KB, the names of its attributes and its keys included; those stay below half a kilobyte.
pub(crate) const MAX_ENTRY_BYTES: usize = 400 * 1024 - 512;

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

pub(crate) fn encode(key: &Key, entry: &Entry) -> Item {
    let mut value = Vec::with_capacity(entry.stored().len() + 1);
    value.extend_from_slice(entry.stored());
    value.push(FORMAT);
    Item::at(key)
        .with("d", value)
        .with("v", entry.version().as_bytes().as_slice())
        .with("x", entry.expires_at().as_millis())
        .with("exp", seconds(entry.expires_at()))
}

pub(crate) fn decode(operation: &'static str, mut item: Item) -> Result<Entry> {
    let mut read = || {
        let version = Version::from_bytes(item.bytes("v")?.try_into().ok()?);
        let expires_at = Timestamp::from_millis(item.number("x")?);
        let mut value = item.take_bytes("d")?;
        (value.pop() == Some(FORMAT)).then(|| Entry::new(value, version, expires_at))
    };
    read().ok_or_else(|| corrupt(operation, "an entry"))
}

/// What has to be there for a session to end with its entry of `version`.
pub(crate) fn is_version(version: Version, now: Timestamp) -> Terms {
    Terms::when("#v = :version AND #x > :now")
        .value(":version", version.as_bytes().as_slice())
        .value(":now", now.as_millis())
}

/// What a write over `over` needs of what is there. A version that is there already is a retry's own.
pub(crate) fn condition(entry: &Entry, over: &Over, now: Timestamp) -> Terms {
    let own = entry.version();
    match over {
        Over::Anything => Terms::default(),
        Over::Nothing => { Terms::when("attribute_not_exists(#pk) OR #x <= :now OR #v = :own") }
            .value(":now", now.as_millis())
            .value(":own", own.as_bytes().as_slice()),
        Over::Version(over) => Terms::when("(#v = :over AND #x > :now) OR #v = :own")
            .value(":now", now.as_millis())
            .value(":over", over.as_bytes().as_slice())
            .value(":own", own.as_bytes().as_slice()),
    }
}

/// Removes an entry only while it is this one.
pub(crate) fn while_it_is(version: Version) -> Terms {
    Terms::when("#v = :own").value(":own", version.as_bytes().as_slice())
}

/// A moment for the table's time-to-live, which counts whole seconds: never earlier.
pub(crate) fn seconds(moment: Timestamp) -> u64 {
    moment.as_millis().div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

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
            let entry = Entry::new(value, Version::from_bytes(version), expires_at);
            let item = encode(&key(), &entry);
            prop_assert!(item.number("exp").unwrap() >= expires_at.as_millis() / 1_000);
            prop_assert_eq!(decode("read", item).unwrap(), entry);
        }

        #[test]
        fn an_item_that_is_not_ours_is_told(
            value in vec(any::<u8>(), 0..30), version in vec(any::<u8>(), 0..12), kind in 0_u8..4,
        ) {
            let ours = value.last() == Some(&FORMAT) && version.len() == 8;
            let item = Item::at(&key());
            let (item, ours) = match kind {
                0 => (item.with("d", value).with("v", version).with("x", 7_u64), ours),
                1 => (item.with("d", value).with("v", version), false),
                2 => (item.with("d", "text").with("v", version).with("x", 7_u64), false),
                _ => (item, false),
            };
            let read = decode("read", item);
            prop_assert_eq!(read.is_ok(), ours);
            prop_assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::Corrupt));
        }
    }

    #[test]
    fn the_largest_entry_fits_into_an_item() {
        let longest = 64 + ":A:".len() + 2 * 22 + 1 + "T::".len() + 2 * 22;
        let names = "pkskdvxexp".len();
        let numbers = 2 * 21;
        let whole = MAX_ENTRY_BYTES + 1 + 8 + longest + names + numbers;
        assert!(whole <= 400 * 1024, "{whole}");
    }
}

//! The text form of a scan position: `1 partition-key sort-key`, both in base64url.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use crate::keys::Key;

pub(crate) fn write(key: &Key) -> String {
    format!("1 {} {}", BASE64.encode(&key.pk), BASE64.encode(&key.sk))
}

pub(crate) fn parse(text: &str) -> Option<Key> {
    let (pk, sk) = text.strip_prefix("1 ")?.split_once(' ')?;
    let read = |text: &str| {
        let text = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
        (!text.is_empty()).then_some(text)
    };
    Some(Key {
        pk: read(pk)?,
        sk: read(sk)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written(pk in ".{1,80}", sk in ".{1,80}") {
            let key = Key { pk, sk };
            prop_assert_eq!(parse(&write(&key)), Some(key));
        }

        #[test]
        fn the_text_of_another_store_is_refused(text in "[^ ]*|[a-z ]*|1 [a-z]{1,6}|1  x|1 x ") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}

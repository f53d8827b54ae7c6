//! The text form of a scan position: `node cursor servers`.

use crate::client::ScanPosition;

pub(crate) fn write(position: &ScanPosition) -> String {
    let ScanPosition {
        servers,
        node,
        cursor,
    } = position;
    format!("{node} {cursor} {servers}")
}

pub(crate) fn parse(text: &str) -> Option<ScanPosition> {
    let mut parts = text.splitn(3, ' ');
    Some(ScanPosition {
        node: parts.next()?.parse().ok()?,
        cursor: parts.next()?.parse().ok()?,
        servers: parts
            .next()
            .filter(|servers| !servers.is_empty())?
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written(
            servers in "[0-9a-f.-]{1,80}", node in any::<usize>(), cursor in any::<u64>(),
        ) {
            let position = ScanPosition { servers, node, cursor };
            prop_assert_eq!(parse(&write(&position)), Some(position));
        }

        #[test]
        fn the_text_of_another_store_is_refused(text in "[^ ]*|[a-z ]*") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}

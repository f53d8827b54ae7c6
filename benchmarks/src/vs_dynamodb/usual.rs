//! Two designs that are usual for tokens on DynamoDB, with the plain SDK, on the same table.

mod item_per_account;
mod item_per_entry;

pub(super) use self::{item_per_account::ItemPerAccount, item_per_entry::ItemPerEntry};

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

type Item = HashMap<String, AttributeValue>;

fn item(pk: &str, sk: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

/// As long a name as ours.
fn entry_name(number: usize) -> String {
    format!("{number:022}")
}

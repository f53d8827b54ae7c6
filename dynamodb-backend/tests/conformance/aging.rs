use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use token_cache_conformance::NoStore;

use super::engine::{Engine, TABLE};

/// Ages the items of a namespace by `by`. The clock of the service cannot be moved, so the expiries of the items are moved instead.
/// These are not-before markers, locks, and the accounts of a `sid`; sessions and entries expire by the times that requests carry.
pub(crate) async fn age(engine: Engine, namespace: &str, by: Duration) -> Result<(), NoStore> {
    let client = engine.client();
    let by = u64::try_from(by.as_millis())?;
    let mut from = None;
    loop {
        let page = client
            .scan()
            .table_name(TABLE)
            .filter_expression("begins_with(pk, :prefix)")
            .expression_attribute_values(":prefix", AttributeValue::S(format!("{namespace}:")))
            .set_exclusive_start_key(from)
            .send()
            .await?;
        for mut item in page.items.unwrap_or_default() {
            let sort_key = item.get("sk").and_then(|key| key.as_s().ok());
            let is_lock = sort_key.is_some_and(|key| key.starts_with("L:"));
            let is_head = sort_key.is_some_and(|key| key == "#");
            let mut aged = false;
            for (name, value) in &mut item {
                let expires = match name.as_str() {
                    "u" => is_lock,
                    "x" | "xs" | "xp" | "xu" | "g" | "l" => is_head,
                    // An account under a `sid`.
                    other => is_head && other.starts_with('a'),
                };
                if expires && let AttributeValue::N(at) = value {
                    let earlier = at.parse::<u64>()?.saturating_sub(by).max(1);
                    *value = AttributeValue::N(earlier.to_string());
                    aged = true;
                }
            }
            if aged {
                let put = client.put_item().table_name(TABLE).set_item(Some(item));
                put.send().await?;
            }
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(());
        }
    }
}

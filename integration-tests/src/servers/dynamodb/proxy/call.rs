use serde_json::Value;

/// Actions that read items.
pub const READS: &[&str] = &["BatchGetItem", "GetItem", "Query", "Scan"];
/// Actions that change items.
pub const WRITES: &[&str] = &["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"];

/// One request to the API, and what it was answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiCall {
    /// Such as `PutItem`.
    pub action: String,
    /// What was asked for.
    pub asked: Value,
    /// The answer's status; none where the client was given no answer.
    pub status: Option<u16>,
    /// The answer; null where there was none.
    pub answered: Value,
}

impl ApiCall {
    /// Whether every item it reads is read strongly consistent; none for what is no read.
    ///
    /// A `BatchGetItem` says it for each table.
    pub fn is_consistent(&self) -> Option<bool> {
        let is_true = |value: &Value| value["ConsistentRead"] == Value::Bool(true);
        match self.action.as_str() {
            "BatchGetItem" => {
                let tables = self.asked["RequestItems"].as_object();
                Some(
                    tables.is_some_and(|tables| !tables.is_empty() && tables.values().all(is_true)),
                )
            }
            action if READS.contains(&action) => Some(is_true(&self.asked)),
            _ => None,
        }
    }

    /// Capacity units, where they were asked for.
    pub fn capacity(&self) -> Option<f64> {
        let consumed = &self.answered["ConsumedCapacity"];
        match consumed {
            Value::Array(tables) => tables
                .iter()
                .map(|table| table["CapacityUnits"].as_f64())
                .sum(),
            one => one["CapacityUnits"].as_f64(),
        }
    }
}

pub(super) fn owned(actions: &[&str]) -> Vec<String> {
    actions.iter().map(ToString::to_string).collect()
}

/// Whether `action` is one of these; all are where none is named.
pub(super) fn is_among(action: &str, actions: &[String]) -> bool {
    actions.is_empty() || actions.iter().any(|one| one == action)
}

use serde_json::Value;

/// Actions that read items.
pub const READS: &[&str] = &["BatchGetItem", "GetItem", "Query", "Scan"];
/// Actions that change items.
pub const WRITES: &[&str] = &["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"];

/// A request to the API, and its answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiCall {
    /// Name of the action, such as `PutItem`.
    pub action: String,
    /// The request.
    pub asked: Value,
    /// The answer's status, or `None` if the client got no answer.
    pub status: Option<u16>,
    /// The answer, or null if there was none.
    pub answered: Value,
}

impl ApiCall {
    /// Returns `true` if every item is read strongly consistent, or `None` if the action is not a read.
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

    /// Returns the consumed capacity units, if the request asked for them.
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

/// Returns `true` if `action` is one of these. An empty list means any action.
pub(super) fn is_among(action: &str, actions: &[String]) -> bool {
    actions.is_empty() || actions.iter().any(|one| one == action)
}

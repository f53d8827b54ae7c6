use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::answer;
use super::forward::{Answer, Broken, Message};

/// Splits the last `count` keys or items off a batch request. Returns the rest, if there is any, and what was split off.
pub(super) fn split(message: &Message, count: usize) -> (Option<Message>, Value) {
    let mut asked: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    let mut left = Map::new();
    let mut wanted = count;
    if let Some(tables) = asked["RequestItems"].as_object_mut() {
        for (name, of_table) in tables.iter_mut() {
            let mut taken = of_table.clone();
            let last = split_off(items(of_table), wanted);
            wanted -= last.len();
            if !last.is_empty() {
                *items(&mut taken) = Value::Array(last);
                left.insert(name.clone(), taken);
            }
        }
        tables.retain(|_, of_table| !is_empty(items(of_table)));
    }
    let nothing = asked["RequestItems"].as_object().is_none_or(Map::is_empty);
    let rest = (!nothing).then(|| message.with_body(Bytes::from(asked.to_string())));
    (rest, Value::Object(left))
}

/// A read's keys are in a field beside its options. A write's items are the list itself.
fn items(of_table: &mut Value) -> &mut Value {
    if of_table.is_object() {
        &mut of_table["Keys"]
    } else {
        of_table
    }
}

fn is_empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

/// Removes the last `count` elements of a list, and returns them.
fn split_off(list: &mut Value, count: usize) -> Vec<Value> {
    match list.as_array_mut() {
        Some(list) => list.split_off(list.len().saturating_sub(count)),
        None => Vec::new(),
    }
}

/// Adds these keys or items to the engine's answer as unprocessed.
pub(super) async fn add(answer: Answer, action: &str, left: Value) -> Result<Answer, Broken> {
    let mut said = answer::value(&answer).await;
    let fields = said.as_object_mut().ok_or(Broken)?;
    if action == "BatchGetItem" {
        fields.entry("Responses").or_insert_with(|| json!({}));
        fields.insert("UnprocessedKeys".to_owned(), left);
    } else {
        fields.insert("UnprocessedItems".to_owned(), left);
    }
    let mut whole = answer::json(answer.status(), &said);
    if let Some(date) = answer.headers().get("date") {
        whole.headers_mut().insert("date", date.clone());
    }
    Ok(whole)
}

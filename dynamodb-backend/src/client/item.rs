use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use crate::keys::Key;

/// An item. Its attributes have short names, since names count in the size of an item.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Item(pub(super) HashMap<String, AttributeValue>);

/// The value of an attribute.
#[derive(Clone, PartialEq)]
pub(crate) struct Value(pub(super) AttributeValue);

impl Item {
    pub(crate) fn at(key: &Key) -> Self {
        Self(attributes(key))
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into().0);
        self
    }

    pub(crate) fn key(&self) -> Option<Key> {
        key(&self.0)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned().map(Value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name)?.as_b().ok().map(Blob::as_ref)
    }

    /// Removes the bytes of an attribute and returns them.
    pub(crate) fn take_bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        match self.0.remove(name)? {
            AttributeValue::B(bytes) => Some(bytes.into_inner()),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    /// Returns the byte strings in a list.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&[u8]>> {
        let values = self.0.get(name)?.as_l().ok()?.iter();
        Some(
            values
                .filter_map(|value| value.as_b().ok().map(Blob::as_ref))
                .collect(),
        )
    }

    pub(crate) fn map(&self, name: &str) -> Option<MapAttribute<'_>> {
        self.0.get(name)?.as_m().ok().map(MapAttribute)
    }
}

/// A map attribute.
pub(crate) struct MapAttribute<'a>(&'a HashMap<String, AttributeValue>);

/// A value in a map attribute.
pub(crate) struct MapValue<'a>(&'a AttributeValue);

impl<'a> MapAttribute<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<MapValue<'a>> {
        self.0.get(name).map(MapValue)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, MapValue<'a>)> + use<'a> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), MapValue(value)))
    }
}

impl<'a> MapValue<'a> {
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        self.0.as_b().ok().map(Blob::as_ref)
    }
}

impl Value {
    pub(crate) fn map(values: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let values = values.into_iter();
        let values = values.map(|(name, bytes)| (name, AttributeValue::B(Blob::new(bytes))));
        Self(AttributeValue::M(values.collect()))
    }

    pub(crate) fn list(values: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let values = values.into_iter();
        let values = values.map(|bytes| AttributeValue::B(Blob::new(bytes)));
        Self(AttributeValue::L(values.collect()))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self(AttributeValue::N(number.to_string()))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(AttributeValue::S(text.to_owned()))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self(AttributeValue::B(Blob::new(bytes)))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(AttributeValue::B(Blob::new(bytes)))
    }
}

pub(super) fn attributes(key: &Key) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// Returns the key in the attributes of an item.
pub(super) fn key(attributes: &HashMap<String, AttributeValue>) -> Option<Key> {
    let text = |name| attributes.get(name)?.as_s().ok().cloned();
    Some(Key {
        pk: text("pk")?,
        sk: text("sk")?,
    })
}

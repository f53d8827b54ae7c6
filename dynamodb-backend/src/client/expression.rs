use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Value;

/// The update expression and the condition expression of a request, with their placeholders.
///
/// `#x` stands for the attribute `x`, since the service reserves many names. [`name`](Self::name) sets a placeholder for an attribute whose
/// name is not a valid placeholder.
#[derive(Clone, Default)]
pub(crate) struct Expression {
    pub(super) set: Option<String>,
    pub(super) condition: Option<String>,
    /// Whether a refusal returns the existing item.
    pub(super) return_existing: bool,
    named: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    pub(crate) fn set(update: impl Into<String>) -> Self {
        Self {
            set: Some(update.into()),
            ..Self::default()
        }
    }

    pub(crate) fn condition(condition: impl Into<String>) -> Self {
        Self::default().only_if(condition)
    }

    pub(crate) fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    pub(crate) fn value(mut self, placeholder: &str, value: impl Into<Value>) -> Self {
        self.values.insert(placeholder.to_owned(), value.into().0);
        self
    }

    /// Sets the attribute that `placeholder` stands for.
    pub(crate) fn name(mut self, placeholder: &str, attribute: String) -> Self {
        self.named.insert(placeholder.to_owned(), attribute);
        self
    }

    /// Requests the existing item in a refusal.
    pub(crate) fn return_existing(mut self) -> Self {
        self.return_existing = true;
        self
    }

    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let texts = [&self.set, &self.condition].into_iter().flatten();
        let names: HashMap<_, _> = texts
            .flat_map(|text| placeholders(text))
            .map(|placeholder| {
                let plain = || placeholder.trim_start_matches('#').to_owned();
                let attribute = self.named.get(placeholder).cloned();
                (placeholder.to_owned(), attribute.unwrap_or_else(plain))
            })
            .collect();
        (!names.is_empty()).then_some(names)
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('#').map(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        &text[at..=at + end.unwrap_or(rest.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_placeholder_for_itself_by_default() {
        let expression = Expression::set("SET #a = :x, #exp = if_not_exists(#exp, :e)")
            .only_if("attribute_not_exists(#pk) OR #v = :v")
            .name("#a", "a-b_c".to_owned());
        let names = expression.names().unwrap();
        let name = |placeholder: &str| names[placeholder].as_str();
        assert_eq!(names.len(), 4);
        assert_eq!(
            [name("#a"), name("#exp"), name("#pk"), name("#v")],
            ["a-b_c", "exp", "pk", "v"]
        );
    }

    #[test]
    fn an_empty_expression_has_no_placeholders() {
        let expression = Expression::default();
        assert!(expression.names().is_none() && expression.values().is_none());
    }
}

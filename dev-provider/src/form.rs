use std::collections::{HashMap, HashSet, hash_map::Entry};

use url::form_urlencoded;

use super::{oauth_error::OAuthError, pages::PageError};

/// Longer than any honest request, ID token hints included.
const LONGEST: usize = 12 * 1024;
const MOST: usize = 64;

/// The parameters of a request. One without a value counts as left out (RFC 6749 section 3.1).
pub(super) struct Parameters {
    values: HashMap<String, String>,
    repeated: HashSet<String>,
}

/// A request with more than anyone has to say.
#[derive(Debug)]
pub(super) struct TooLarge;

impl From<TooLarge> for OAuthError {
    fn from(_: TooLarge) -> Self {
        Self::request("the request is too large")
    }
}

impl From<TooLarge> for PageError {
    fn from(_: TooLarge) -> Self {
        Self::request("It is too large.")
    }
}

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Result<Self, TooLarge> {
        if text.len() > LONGEST {
            return Err(TooLarge);
        }
        let mut parameters = Self {
            values: HashMap::new(),
            repeated: HashSet::new(),
        };
        for (number, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if number == MOST {
                return Err(TooLarge);
            }
            let name = name.into_owned();
            if value.is_empty() {
                continue;
            }
            match parameters.values.entry(name) {
                Entry::Occupied(first) => {
                    parameters.repeated.insert(first.key().clone());
                }
                Entry::Vacant(free) => {
                    free.insert(value.into_owned());
                }
            }
        }
        Ok(parameters)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns `true` if any of these occurs more than once, which no specification allows.
    pub(super) fn repeats(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.repeated.contains(*name))
    }

    pub(super) fn repeats_any(&self) -> bool {
        !self.repeated.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_twice_is_seen() {
        let form = Parameters::parse(b"a=1&b=&a=2&c=%C3%A9+x").unwrap();
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.value("b"), None);
        assert_eq!(form.value("c"), Some("é x"));
        assert!(form.repeats(&["a"]) && !form.repeats(&["b", "c"]) && form.repeats_any());
        assert!(Parameters::parse("a=1&".repeat(100).as_bytes()).is_err());
        assert!(Parameters::parse(&vec![b'a'; 20_000]).is_err());
    }
}

use std::sync::Arc;

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;

use super::Key;
use crate::Algorithm;

/// A provider's keys (RFC 7517 section 5). Those of kinds that nothing here uses are left out, as that section asks.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Arc<Key>>);

/// What looking for a key comes to.
#[derive(Debug)]
pub(crate) enum Found {
    Key(Arc<Key>),
    Unknown,
    /// There are several and the message names none (OpenID Connect Core 1.0 section 10.1).
    Several,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl KeySet {
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(json).ok()?;
        let keys = set
            .keys
            .into_iter()
            .filter_map(|key| Key::of(&serde_json::from_value::<Jwk>(key).ok()?))
            .map(Arc::new)
            .collect();
        Some(Self(keys))
    }

    /// The key for `algorithm` that has this id; without an id the one there is.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.is_for(algorithm) && id.is_none_or(|id| key.is_named(id)));
        match (fitting.next(), fitting.next()) {
            (None, _) => Found::Unknown,
            (Some(key), None) => Found::Key(Arc::clone(key)),
            (Some(key), Some(_)) if id.is_some() => Found::Key(Arc::clone(key)),
            (Some(_), Some(_)) => Found::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;

    fn found(keys: &str, id: Option<&str>) -> &'static str {
        let set = KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap();
        match set.find(id, Algorithm::Es256) {
            Found::Key(_) => "key",
            Found::Unknown => "unknown",
            Found::Several => "several",
        }
    }

    #[test]
    fn keys_for_anything_else_are_left_out() {
        for other in [
            r#""use":"enc""#,
            r#""alg":"ES384""#,
            r#""alg":"ECDH-ES""#,
            r#""key_ops":["sign"]"#,
        ] {
            assert_eq!(
                found(&format!("{{{P256},{other}}}"), None),
                "unknown",
                "{other}"
            );
        }
        for same in [
            r#""use":"sig""#,
            r#""alg":"ES256""#,
            r#""key_ops":["verify"]"#,
        ] {
            assert_eq!(found(&format!("{{{P256},{same}}}"), None), "key", "{same}");
        }
        let strange =
            r#"{"kty":"oct","k":"AAAA"},{"kty":"new"},7,{"kty":"EC","crv":"P-521","x":"","y":""}"#;
        assert_eq!(found(strange, None), "unknown");
        assert_eq!(found(&format!("{strange},{{{P256}}}"), None), "key");
    }

    #[test]
    fn without_an_id_there_must_be_one_key_and_with_one_it_must_be_that() {
        let two = format!(r#"{{{P256},"kid":"a"}},{{{P256},"kid":"b"}}"#);
        assert_eq!(found(&two, None), "several");
        assert_eq!(found(&two, Some("b")), "key");
        assert_eq!(found(&two, Some("c")), "unknown");
        assert_eq!(found(&format!("{{{P256}}}"), Some("a")), "unknown");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for json in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
            assert!(KeySet::parse(json.as_bytes()).is_none(), "{json}");
        }
    }
}

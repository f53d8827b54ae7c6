use serde::Deserialize;
use serde_json::Value;

use super::jwk::Jwk;
use crate::jwt::{Algorithm, strip_bom};

/// A provider's signing keys (JWK Set, RFC 7517 section 5). Keys for other purposes are ignored, as that section asks.
#[derive(Debug)]
pub(crate) struct JwkSet {
    keys: Vec<Jwk>,
    /// The errors of signing keys that cannot be used.
    pub(super) unreadable: Vec<&'static str>,
}

/// How many keys are tried for one message. A message need not name a key, and anyone can send one.
const MAX_TRIED: usize = 16;

/// Why no key of a set verifies a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyMismatch {
    /// No key has the message's key id and fits its algorithm.
    NoMatch,
    /// The signature is not by a matching key.
    InvalidSignature,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl JwkSet {
    /// Parses a JWK Set. An unreadable key does not affect the others.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(strip_bom(json)).ok()?;
        let (mut keys, mut unreadable) = (Vec::new(), Vec::new());
        for key in &set.keys {
            match Jwk::parse(key) {
                Ok(key) => keys.extend(key),
                Err(why) => unreadable.push(why),
            }
        }
        Some(Self { keys, unreadable })
    }

    /// Verifies a message with the keys of this set. `verifies` returns `true` if a key verifies the signature.
    ///
    /// All matching keys are tried. Some providers publish several keys with one id, or omit the id although they have
    /// several keys, which OpenID Connect Core 1.0 section 10.1 forbids.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        verifies: impl Fn(&Jwk) -> bool,
    ) -> Result<(), KeyMismatch> {
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| key.is_for(algorithm) && id.is_none_or(|id| key.has_id(id)))
            .take(MAX_TRIED)
            .peekable();
        if candidates.peek().is_none() {
            return Err(KeyMismatch::NoMatch);
        }
        if candidates.any(verifies) {
            Ok(())
        } else {
            Err(KeyMismatch::InvalidSignature)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;

    /// Returns how many keys of the set are tried, and how many cannot be read.
    fn tried(keys: &str, id: Option<&str>) -> (usize, usize) {
        let set = JwkSet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap();
        let tried = std::cell::Cell::new(0);
        let verifies = |_: &Jwk| {
            tried.set(tried.get() + 1);
            false
        };
        let found = set.verify(id, Algorithm::Es256, verifies);
        let expected = if tried.get() == 0 {
            KeyMismatch::NoMatch
        } else {
            KeyMismatch::InvalidSignature
        };
        assert_eq!(found, Err(expected));
        (tried.get(), set.unreadable.len())
    }

    #[test]
    fn keys_for_anything_else_are_left_out() {
        for other in [r#""use":"enc""#, r#""alg":"ES384""#, r#""alg":"ECDH-ES""#] {
            assert_eq!(
                tried(&format!("{{{P256},{other}}}"), None),
                (0, 0),
                "{other}"
            );
        }
        for same in [
            r#""use":"sig""#,
            r#""use":null"#,
            r#""alg":"ES256""#,
            r#""alg":null"#,
            r#""key_ops":["verify"]"#,
            r#""key_ops":[]"#,
            r#""key_ops":["sign"]"#,
            r#""kid":null"#,
        ] {
            assert_eq!(tried(&format!("{{{P256},{same}}}"), None), (1, 0), "{same}");
        }
        let strange =
            r#"{"kty":"oct","k":"AAAA"},{"kty":"new"},{"kty":"EC","crv":"P-521","x":"","y":""}"#;
        assert_eq!(tried(strange, None), (0, 0));
        assert_eq!(tried(&format!("{strange},{{{P256}}}"), None), (1, 0));
    }

    #[test]
    fn a_key_that_cannot_be_read_is_reported_and_spoils_no_other() {
        for bad in [
            "7",
            "{}",
            r#"{"kty":"RSA","n":"!","e":"AQAB"}"#,
            r#"{"kty":"RSA","n":"","e":"AQAB"}"#,
            r#"{"kty":"RSA","n":7}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AAAA"}"#,
            r#"{"kty":"EC","x":"AAAA","y":"AAAA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
            r#"{"kty":"RSA","use":1}"#,
            r#"{"kty":"RSA","alg":1}"#,
        ] {
            assert_eq!(tried(&format!("{bad},{{{P256}}}"), None), (1, 1), "{bad}");
        }
    }

    #[test]
    fn with_an_id_only_its_keys_are_tried_and_without_one_not_over_sixteen() {
        let two = format!(r#"{{{P256},"kid":"a"}},{{{P256},"kid":"b"}}"#);
        assert_eq!(tried(&two, None).0, 2);
        assert_eq!(tried(&two, Some("b")).0, 1);
        assert_eq!(tried(&two, Some("c")).0, 0);
        assert_eq!(tried(&format!("{{{P256}}}"), Some("a")).0, 0);
        let many = vec![format!("{{{P256}}}"); 40].join(",");
        assert_eq!(tried(&many, None).0, MAX_TRIED);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for json in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
            assert!(JwkSet::parse(json.as_bytes()).is_none(), "{json}");
        }
        assert!(JwkSet::parse("\u{feff}{\"keys\":[]}".as_bytes()).is_some());
    }
}

use std::{collections::BTreeMap, fmt, time::Duration};

use secrecy::SecretString;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Value, value::RawValue};
use zeroize::Zeroizing;

use crate::util::log::warn;

/// A longer lifetime is a mistake of the provider: milliseconds sent as seconds, or a date sent as a duration.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The members of a token response (RFC 6749 section 5.1) that could be read.
///
/// Providers send members of other types than the specification requires, or omit required ones. Refusing such a response would
/// discard the refresh token in it, while the one that was sent for it is spent. So each member is read separately, and one that
/// cannot be read is logged and ignored.
#[derive(Default)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Option<SecretString>,
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) id_token: Option<SecretString>,
    pub(crate) token_type: Option<String>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) scopes: Vec<String>,
    pub(crate) extra: BTreeMap<String, Value>,
    unreadable: Vec<&'static str>,
}

impl TokenResponse {
    /// Reads the JSON object in `body`.
    ///
    /// Ignores a byte order mark before it, bytes in it that are not UTF-8, and anything after it. If a member is sent twice, its
    /// last usable value counts. Truncated JSON counts as read up to its end if it has both tokens by then. Without the refresh
    /// token nothing of it is used, because that token may be in the missing part.
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = JsonText::of(body);
        let mut response = Self::default();
        let mut json = serde_json::Deserializer::from_str(text.as_str());
        let is_whole = Members(&mut response).deserialize(&mut json).is_ok();
        let has_both = response.access_token.is_some() && response.refresh_token.is_some();
        if !is_whole && !has_both {
            return Self::default();
        }
        if !is_whole {
            response.unreadable.push("the end of the JSON");
        }
        response.log();
        response
    }

    fn take(&mut self, name: String, json: &str) {
        // The parser's own message could quote a token.
        let value = serde_json::from_str::<Value>(json);
        match &*name {
            "access_token" => self.token("access_token", value, |this| &mut this.access_token),
            "refresh_token" => self.token("refresh_token", value, |this| &mut this.refresh_token),
            "id_token" => self.token("id_token", value, |this| &mut this.id_token),
            "token_type" => match value {
                Ok(Value::String(text)) if !text.trim().is_empty() => self.token_type = Some(text),
                Ok(Value::Null) => {}
                _ => self.unreadable.push("token_type"),
            },
            "expires_in" => match value.as_ref().map(lifetime) {
                Ok(Some(lifetime)) => self.lifetime = Some(lifetime),
                _ if matches!(value, Ok(Value::Null)) => {}
                _ => self.unreadable.push("expires_in"),
            },
            "scope" => match value.as_ref().map(scopes) {
                Ok(Some(scopes)) => self.scopes = scopes,
                _ => self.unreadable.push("scope"),
            },
            _ => match value {
                Ok(value) => drop(self.extra.insert(name, value)),
                Err(_) => self.unreadable.push("another member"),
            },
        }
    }

    /// Reads a token. `null` and an empty text count as absent, because some providers send them when a refresh token is
    /// unchanged.
    fn token(
        &mut self,
        name: &'static str,
        value: serde_json::Result<Value>,
        field: fn(&mut Self) -> &mut Option<SecretString>,
    ) {
        match value {
            Ok(Value::String(text)) => {
                if let Some(token) = token(text) {
                    *field(self) = Some(token);
                }
            }
            Ok(Value::Null) => {}
            _ => self.unreadable.push(name),
        }
    }

    fn log(&mut self) {
        if self.token_type.is_none() && self.access_token.is_some() {
            self.unreadable.push("token_type");
        }
        self.unreadable.sort_unstable();
        self.unreadable.dedup();
        if !self.unreadable.is_empty() {
            warn(
                "token_response_irregular",
                format_args!(
                    "a provider's token response does not follow RFC 6749, section 5.1: {} cannot be used; \
                     the rest of it is used, a missing token type is taken for Bearer, and a lifetime that cannot be read is unknown",
                    self.unreadable.join(", "),
                ),
            );
        }
    }
}

/// The body of a provider's answer as text, without a byte order mark. Each byte that is not UTF-8 is replaced.
pub(crate) enum JsonText<'b> {
    Valid(&'b str),
    Repaired(Zeroizing<String>),
}

impl<'b> JsonText<'b> {
    pub(crate) fn of(body: &'b [u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self::Valid(text),
            Err(_) => Self::Repaired(Zeroizing::new(String::from_utf8_lossy(body).into_owned())),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = match self {
            Self::Valid(text) => text,
            Self::Repaired(text) => text.as_str(),
        };
        text.trim_start_matches('\u{feff}')
    }
}

/// Returns `text` as a token, or `None` if it is empty or only white space.
pub(crate) fn token(text: String) -> Option<SecretString> {
    let text = Zeroizing::new(text);
    (!text.trim().is_empty()).then(|| SecretString::from(text.as_str()))
}

/// Returns a lifetime in seconds, which some providers send as text or with a fraction. Returns `None` for zero, negative and
/// absurd ones.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let lifetime = Duration::try_from_secs_f64(seconds.floor()).ok()?;
    (!lifetime.is_zero() && lifetime <= LONGEST_LIFETIME).then_some(lifetime)
}

/// Returns scopes from the text of RFC 6749 section 3.3, or from an array of such texts.
fn scopes(value: &Value) -> Option<Vec<String>> {
    let split = |text: &String| {
        let words = text.split_ascii_whitespace().map(str::to_owned);
        words.collect::<Vec<_>>()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(items) => {
            let texts = items.iter().map(|item| match item {
                Value::String(text) => Some(split(text)),
                _ => None,
            });
            texts.collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Fills a response with the members of an object, in their order, so that what was read before an error is preserved.
struct Members<'r>(&'r mut TokenResponse);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = members.next_key_seed(Name(String::new()))? {
            let value: &RawValue = members.next_value()?;
            self.0.take(name, value.get());
        }
        Ok(())
    }
}

/// The name of a member. A name that is not Unicode text is ignored, and does not make the rest unreadable.
struct Name(String);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self, D::Error> {
        json.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E: serde::de::Error>(self, name: &[u8]) -> Result<Self, E> {
        Ok(Self(String::from_utf8_lossy(name).into_owned()))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self, E> {
        Ok(Self(name.to_owned()))
    }
}

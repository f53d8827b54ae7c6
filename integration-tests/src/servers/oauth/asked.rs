use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use url::form_urlencoded;

use super::{CLIENT_ID, CLIENT_SECRET};

/// A request that arrived at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedOfProvider {
    /// `/token` or `/revoke`.
    pub path: String,
    /// The form. A parameter that was sent twice has its values joined by a space.
    pub form: BTreeMap<String, String>,
    /// `true` if the client authenticated with HTTP Basic, and not in the form.
    pub by_basic: bool,
    /// `true` if the client's id and secret were correct.
    pub is_authentic: bool,
}

impl AskedOfProvider {
    pub(super) fn new(path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut form = BTreeMap::<String, String>::new();
        for (name, value) in form_urlencoded::parse(body) {
            form.entry(name.into_owned())
                .and_modify(|values| {
                    values.push(' ');
                    values.push_str(&value);
                })
                .or_insert_with(|| value.into_owned());
        }
        let basic = basic(headers);
        let of_form = (form.get("client_id"), form.get("client_secret"));
        let sent = match (&basic, of_form) {
            (Some((id, secret)), (_, None)) | (None, (Some(id), Some(secret))) => {
                Some((id.as_str(), secret.as_str()))
            }
            _ => None,
        };
        let is_authentic = sent == Some((CLIENT_ID, CLIENT_SECRET));
        Self {
            path: path.to_owned(),
            form,
            by_basic: basic.is_some(),
            is_authentic,
        }
    }

    /// Returns a parameter of the form. A missing one is empty.
    pub fn parameter(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }
}

/// Returns the id and the secret, each decoded as a form (RFC 6749 section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let joined = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let joined = String::from_utf8(joined).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    form_urlencoded::parse(format!("it={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

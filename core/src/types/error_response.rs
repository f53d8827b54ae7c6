use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::types::token_response::JsonText;

/// The longest code that is stored, in bytes. A longer one is truncated.
const LONGEST_CODE: usize = 128;

/// The longest description that is stored, in bytes. A longer one is truncated.
const LONGEST_DESCRIPTION: usize = 1024;

/// The longest `claims` that are stored, in bytes. Longer ones are omitted, since a part of them is useless.
const LONGEST_CLAIMS: usize = 8 * 1024;

/// An error response of the provider's token endpoint (RFC 6749 section 5.2).
///
/// A [`TokenSource`](crate::TokenSource) creates it from the body of the provider's answer, and passes it to
/// [`RefreshError::of_response`](crate::RefreshError::of_response). The app gets it from
/// [`RefreshError::response`](crate::RefreshError::response), for example to send the user to the provider with its
/// [`claims`](Self::claims).
///
/// All texts in it come from the provider. Codes over 128 bytes and a description over 1 KiB are truncated. Claims over 8 KiB are omitted.
///
/// Logs and `Debug` contain a code only if it has at most 64 characters, all of them lower-case letters or underscores. Any other code is
/// replaced by `an error code of unknown form`. Logs and `Debug` contain neither the description nor the claims, which may name a user.
///
/// ```
/// use token_cache::refresh::{ErrorResponse, RefreshError, RefreshErrorKind};
///
/// let body = br#"{"error": "invalid_grant", "suberror": "consent_required", "claims": "{\"access_token\":{}}"}"#;
/// let response = ErrorResponse::from_json(body).expect("it has an error code");
/// assert_eq!(response.suberror(), Some("consent_required"));
/// assert_eq!(RefreshError::of_response(response).kind(), RefreshErrorKind::InteractionRequired);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    code: String,
    suberror: Option<String>,
    claims: Option<String>,
    description: Option<String>,
}

impl ErrorResponse {
    /// Creates an error response that has only an `error` code. A code over 128 bytes is truncated. For a JSON body, use
    /// [`from_json`](Self::from_json).
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: cut(code.into(), LONGEST_CODE),
            suberror: None,
            claims: None,
            description: None,
        }
    }

    /// Creates an error response from the body of the provider's answer. Returns `None` if the body is not a JSON object, or has no `error`
    /// code. Texts that are too long are truncated or omitted, as the type describes.
    ///
    /// Members with blank text or of a wrong type count as absent. The exception is a member `claims` that is a JSON object: its JSON text
    /// is used.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let text = JsonText::of(body);
        let mut json = serde_json::Deserializer::from_str(text.as_str());
        let mut members = Map::<String, Value>::deserialize(&mut json).ok()?;
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            // Some providers send claims as an object instead of the text that a request takes.
            Some(object @ Value::Object(_)) if name == "claims" => Some(object.to_string()),
            _ => None,
        };
        let mut response = Self::new(text("error")?);
        response.suberror = text("suberror").map(|text| cut(text, LONGEST_CODE));
        response.claims = text("claims").filter(|text| text.len() <= LONGEST_CLAIMS);
        response.description = text("error_description").map(|text| cut(text, LONGEST_DESCRIPTION));
        Some(response)
    }

    /// Returns the member `error` of the response, which is the error code, such as `invalid_grant`. A code over 128 bytes is truncated.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the member `suberror`, which Microsoft Entra sends. The member says what the user must do, or that the refresh token is
    /// invalid. Returns `None` if the response has no such member. A text over 128 bytes is truncated.
    pub fn suberror(&self) -> Option<&str> {
        self.suberror.as_deref()
    }

    /// Returns the member `claims`, the provider's claims challenge: what the next sign-in must prove, such as a second factor. Returns
    /// `None` if the response has no such member, or one over 8 KiB.
    ///
    /// The claims challenge is JSON text. The app sends it as the parameter `claims` of the next authorization request (OpenID Connect Core
    /// 1.0 section 5.5).
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// Returns the member `error_description`, or `None` if the response has no such member. The description is meant for the developer of
    /// the app, and may name a user. Over 1 KiB, it is truncated.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns the codes for logs and messages. Text that does not look like a code is not quoted.
    pub(crate) fn quoted(&self) -> String {
        let code = quoted(&self.code);
        match &self.suberror {
            Some(suberror) => format!("{code} with the suberror {}", quoted(suberror)),
            None => code.to_owned(),
        }
    }
}

impl fmt::Debug for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = |text: &Option<String>| text.as_ref().map(|_| "[redacted]");
        f.debug_struct("ErrorResponse")
            .field("code", &quoted(&self.code))
            .field("suberror", &self.suberror.as_deref().map(quoted))
            .field("claims", &redacted(&self.claims))
            .field("description", &redacted(&self.description))
            .finish()
    }
}

/// Registered codes consist of lower-case letters and underscores. Other text could contain anything, so it is not quoted.
fn quoted(code: &str) -> &str {
    let is_word = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_word {
        code
    } else {
        "an error code of unknown form"
    }
}

fn cut(mut text: String, longest: usize) -> String {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

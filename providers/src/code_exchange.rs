use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use token_cache_core::RefreshError;

/// The input of [`Provider::exchange_code`](crate::Provider::exchange_code): the authorization code that the provider sent to the callback
/// of a sign-in. It also has the redirect URI and the PKCE code verifier of that sign-in (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
///
/// `Debug` prints neither the code nor the code verifier.
#[derive(Clone)]
#[must_use]
pub struct CodeExchange {
    code: SecretString,
    redirect_uri: String,
    pkce_verifier: Option<SecretString>,
}

impl CodeExchange {
    /// Creates the input for exchanging `code`, which is the parameter `code` of the callback. `redirect_uri` must equal the redirect URI
    /// that the app sent in the authorization request; otherwise the provider refuses the exchange.
    ///
    /// The caller must have compared the parameter `state` of the callback with the `state` of its own authorization request. Otherwise, an
    /// attacker can sign the user in to the attacker's account (RFC 6749 section 10.12).
    ///
    /// This constructor checks nothing. [`Provider::exchange_code`](crate::Provider::exchange_code) refuses an empty code and an empty
    /// redirect URI with [`Refused`](token_cache_core::RefreshErrorKind::Refused).
    pub fn new(code: impl Into<String>, redirect_uri: impl Into<String>) -> Self {
        Self {
            code: code.into().into(),
            redirect_uri: redirect_uri.into(),
            pkce_verifier: None,
        }
    }

    /// Sets the PKCE code verifier (RFC 7636) that belongs to the `code_challenge` of the authorization request. By default, no
    /// `code_verifier` is sent. A provider that received a `code_challenge` then refuses the exchange, as it does for a wrong verifier.
    /// [`Provider::exchange_code`](crate::Provider::exchange_code) refuses an empty verifier with
    /// [`Refused`](token_cache_core::RefreshErrorKind::Refused).
    pub fn pkce_verifier(mut self, verifier: impl Into<String>) -> Self {
        self.pkce_verifier = Some(verifier.into().into());
        self
    }

    /// Refuses empty values, which are a mistake of the app.
    pub(crate) fn check(&self) -> Result<(), RefreshError> {
        let verifier = self.pkce_verifier.as_ref().map(ExposeSecret::expose_secret);
        for (name, value) in [
            ("authorization code", Some(self.code.expose_secret())),
            ("redirect URI", Some(self.redirect_uri.as_str())),
            ("PKCE verifier", verifier),
        ] {
            if value.is_some_and(|value| value.trim().is_empty()) {
                return Err(RefreshError::refused(format!(
                    "the {name} of the code exchange is empty; nothing was sent"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn form(&self) -> Vec<(&'static str, &str)> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", self.code.expose_secret()),
            ("redirect_uri", &self.redirect_uri),
        ];
        if let Some(verifier) = &self.pkce_verifier {
            form.push(("code_verifier", verifier.expose_secret()));
        }
        form
    }
}

impl fmt::Debug for CodeExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeExchange")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

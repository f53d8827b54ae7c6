use secrecy::{ExposeSecret, SecretString};

use super::RefreshRequest;
use crate::{TokenSet, telemetry::warn, types::token_response::LONGEST_LIFETIME};

/// A provider's answer, made consistent with the request.
pub(super) struct Answer {
    tokens: TokenSet,
}

/// The values of the two entries after an answer, if the refresh token of one was spent for the other.
pub(super) struct ForAnother {
    /// The new value of the entry whose refresh token was spent, or `None` if it stays as it is.
    pub(super) spent: Option<TokenSet>,
    /// The new value of the requested entry.
    pub(super) wanted: TokenSet,
}

impl Answer {
    /// Completes the tokens of a source. An expiry that cannot be true is dropped. The tokens are not, because the refresh token
    /// that was sent for them is spent.
    pub(super) fn of(mut tokens: TokenSet, request: &RefreshRequest) -> Self {
        let sent_at = request.sent_at;
        let is_plausible =
            |expires_at| expires_at > sent_at && expires_at <= sent_at + LONGEST_LIFETIME;
        if tokens
            .expires_at()
            .is_some_and(|expires_at| !is_plausible(expires_at))
        {
            warn(
                "token_response_irregular",
                format_args!(
                    "refreshed tokens have an expiry that has passed or is over ten years away, so their lifetime is unknown; \
                     check the provider, and the clock that the token source counts from",
                ),
            );
            tokens = tokens.without_expiry();
        }
        if tokens.issued_at().is_none() {
            tokens = tokens.with_issued_at(sent_at);
        }
        if tokens.scopes().is_empty() {
            tokens = tokens.with_scopes(request.scopes.iter().cloned());
        }
        Self { tokens }
    }

    /// Returns the provider's new refresh token, if there is one. A sign-out in between has to revoke it.
    pub(super) fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.refresh_token()
    }

    /// Returns the tokens for an entry that used its own refresh token.
    pub(super) fn for_itself(self, old: Option<&TokenSet>) -> TokenSet {
        match old {
            Some(old) => self.tokens.or_else_of(old),
            None => self.tokens,
        }
    }

    /// Returns the tokens for an entry that used another entry's refresh token. The other entry retains its access token, and
    /// gets the new refresh token if the provider rotates them.
    pub(super) fn for_another(self, old: &TokenSet) -> ForAnother {
        let rotated = self
            .tokens
            .refresh_token()
            .map(ExposeSecret::expose_secret)
            .filter(|new| Some(*new) != old.refresh_token().map(ExposeSecret::expose_secret));
        ForAnother {
            spent: rotated.map(|new| old.clone().with_refresh_token(new)),
            wanted: self.tokens.without_refresh_token(),
        }
    }
}

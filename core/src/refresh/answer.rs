use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{RefreshError, RefreshRequest};
use crate::TokenSet;

/// A lifetime over ten years is a mistake of the provider's: seconds taken for milliseconds, a date for a duration.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What a provider answered, found to be of use.
pub(super) struct Answer {
    tokens: TokenSet,
}

/// What an answer makes of the two entries, where one asked with the refresh token of the other.
pub(super) struct ForAnother {
    /// What the entry becomes whose refresh token was spent; none where it stays as it is.
    pub(super) spent: Option<TokenSet>,
    /// What the entry becomes that was asked for.
    pub(super) wanted: TokenSet,
}

impl Answer {
    pub(super) fn checked(
        tokens: TokenSet,
        request: &RefreshRequest,
    ) -> Result<Self, RefreshError> {
        if tokens.access_token().expose_secret().is_empty() {
            return Err(unusable("its access token is empty"));
        }
        match tokens.expires_at() {
            Some(expires_at) if expires_at <= request.sent_at => {
                return Err(unusable("its access token has expired on arrival"));
            }
            Some(expires_at) if expires_at > request.sent_at + LONGEST_LIFE => {
                return Err(unusable("its access token lives for over ten years"));
            }
            _ => {}
        }
        let mut tokens = tokens.without_empty();
        if tokens.issued_at().is_none() {
            tokens = tokens.with_issued_at(request.sent_at);
        }
        if tokens.scopes().is_empty() {
            tokens = tokens.with_scopes(request.scopes.iter().cloned());
        }
        Ok(Self { tokens })
    }

    /// The refresh token that the provider gave, if it gave one: what a sign-out in between has to revoke.
    pub(super) fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.refresh_token()
    }

    /// The tokens for the entry that asked with its own refresh token.
    pub(super) fn for_itself(self, old: Option<&TokenSet>) -> TokenSet {
        match old {
            Some(old) => self.tokens.or_else_of(old),
            None => self.tokens,
        }
    }

    /// The tokens for an entry that asked with another's refresh token. That other keeps its access token, and gets the
    /// new refresh token, where the provider rotates them.
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

/// The provider has used the refresh token up all the same.
fn unusable(why: &str) -> RefreshError {
    RefreshError::malformed(why).answer_lost()
}

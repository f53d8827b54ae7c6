use std::{fmt, time::Duration};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    AccountId, Error, ProviderSid, Result, Timestamp, types::auth_time::THIS_CENTURY,
    types::claims::Claims,
};

/// Access tokens have a few KiB at most, and a header that carries one rarely has room for more than this.
const MAX_ASSERTION_BYTES: usize = 64 * 1024;

/// The input of [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of): the access token that a web API was called with, and its
/// claims.
///
/// The access token is the *assertion* by which the cache finds or begins a session for the user. The API then exchanges the assertion for
/// tokens of its own (RFC 8693, or the `jwt-bearer` grant of RFC 7523), and stores them in that session.
///
/// The API must have *verified* the access token. A forged access token would give its sender the tokens of the user whom it names.
#[derive(Clone)]
pub struct OnBehalfOf {
    pub(crate) account: AccountId,
    pub(crate) assertion: Zeroizing<Vec<u8>>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) provider_session: Option<ProviderSid>,
}

impl OnBehalfOf {
    /// Creates the input from a *verified* access token of the user `account`.
    ///
    /// `assertion` is the access token itself. `issued_at` and `expires_at` are its claims `iat` and `exp`, on the provider's clock.
    ///
    /// The session that [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) begins has no `sid`, so a logout message that names
    /// only a `sid` does not end it. [`from_claims`](Self::from_claims) also reads the `sid`. `on_behalf_of` refuses a token that has
    /// expired with [`SignedOut`](crate::ErrorKind::SignedOut). It refuses a token that lives longer than
    /// [`longest_assertion`](crate::TokenCacheBuilder::longest_assertion) with [`Config`](crate::ErrorKind::Config).
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `assertion` is empty or longer than 64 KiB, if `issued_at` is before the year 2000, or if
    /// `expires_at` is not later than `issued_at`.
    pub fn new(
        account: AccountId,
        assertion: &str,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Self> {
        let refused = |message: &str| Err(Error::misuse("take an assertion", message));
        if assertion.is_empty() || assertion.len() > MAX_ASSERTION_BYTES {
            return refused("the assertion must have between 1 byte and 64 KiB");
        }
        if issued_at < THIS_CENTURY {
            return refused(
                "the assertion was issued before the year 2000; `iat` is in seconds since 1970",
            );
        }
        if expires_at <= issued_at {
            return refused("the assertion expires before it was issued; pass its `iat` and `exp`");
        }
        Ok(Self {
            account,
            assertion: Zeroizing::new(assertion.as_bytes().to_vec()),
            issued_at,
            expires_at,
            provider_session: None,
        })
    }

    /// Creates the input from the claims of a *verified* access token: `iss`, `sub`, `iat`, `exp` and, if present, `sid`. An empty `sid`
    /// counts as absent.
    ///
    /// `claims` is anything that serializes to the JSON object of the claims. `assertion` is the access token itself: the text after
    /// `Bearer` in the `Authorization` header.
    ///
    /// The user's sign-out in the app ends the API's session only if both have the same account. For that, the provider must send the app
    /// and the API the same `sub`. If it sends different ones (Entra ID, pairwise subjects), the API's session continues after the user's
    /// sign-out in the app. In that case, use [`new`](Self::new) with an account id that the app uses too.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `claims` does not serialize to JSON, or if a required claim is missing or has another type
    /// than RFC 7519 requires. The same error is returned if [`AccountId::new`], [`ProviderSid::new`] or [`new`](Self::new) refuses the
    /// claims or the access token.
    pub fn from_claims(claims: &impl Serialize, assertion: &str) -> Result<Self> {
        let claims = Claims::of("read the claims of an assertion", claims)?;
        let issuer = claims.required_text("iss")?;
        let account = AccountId::new(issuer, claims.required_text("sub")?)?;
        let (issued_at, expires_at) = (claims.required_date("iat")?, claims.required_date("exp")?);
        let mut on_behalf_of = Self::new(account, assertion, issued_at, expires_at)?;
        if let Some(sid) = claims.text("sid")?.filter(|sid| !sid.is_empty()) {
            on_behalf_of.provider_session = Some(ProviderSid::new(issuer, sid)?);
        }
        Ok(on_behalf_of)
    }

    /// Returns the time from the assertion's issue to its expiry.
    pub(crate) fn life(&self) -> Duration {
        self.expires_at.since(self.issued_at)
    }
}

impl fmt::Debug for OnBehalfOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOf")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ErrorKind;

    fn claims() -> Value {
        json!({"iss": "https://id.example", "sub": "ada", "iat": 1_700_000_000, "exp": 1_700_003_600, "sid": "s"})
    }

    #[test]
    fn the_claims_that_count_are_taken() {
        let taken = OnBehalfOf::from_claims(&claims(), "a.b.c").unwrap();
        assert_eq!(taken.issued_at, Timestamp::from_secs(1_700_000_000));
        assert_eq!(taken.life(), Duration::from_secs(3_600));
        assert!(taken.provider_session.is_some());
        assert!(!format!("{taken:?}").contains("a.b.c"));
    }

    #[test]
    fn claims_that_are_missing_or_wrong_are_told() {
        for (name, value) in [
            ("iss", Value::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("iat", Value::Null),
            ("iat", json!(0)),
            ("iat", json!(-1_700_000_000)),
            ("iat", json!("1700000000")),
            ("exp", Value::Null),
            ("exp", json!(-1)),
            ("exp", json!(1_700_000_000)),
            ("sid", json!([])),
        ] {
            let mut claims = claims();
            claims[name] = value;
            let error = OnBehalfOf::from_claims(&claims, "a.b.c").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{name}: {error}");
        }
        for assertion in ["", &"x".repeat(MAX_ASSERTION_BYTES + 1)] {
            let error = OnBehalfOf::from_claims(&claims(), assertion).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        }
    }
}

use std::time::Duration;

use serde::Serialize;

use crate::{
    AccountId, Error, ErrorKind, ProviderSid, Result, Timestamp,
    crypto::Ring,
    crypto::sealed_text::{invalid_text, sealed_text},
    crypto::ticket::take,
    types::claims::Claims,
};

/// The longest lifetime of a session: 400 days, as long as a browser stores a cookie (RFC 6265bis section 5.5).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

sealed_text! {
    /// The start of a sign-in, encrypted: the time of the authorization request, and the `max_age` of the request if it had one.
    ///
    /// [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in) returns it before the redirect to the provider. The app stores its
    /// [text](Self::to_text) in a cookie. In the callback from the provider, the app parses the text, and passes the value to [`SignIn`].
    ///
    /// If the user was signed out between the request and the callback, [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses the
    /// sign-in (G2).
    StartedSignIn, "started sign-in"
}

/// The decrypted content of a [`StartedSignIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Started {
    /// On the store's clock.
    pub(crate) requested_at: Timestamp,
    pub(crate) max_age: Option<Duration>,
}

impl StartedSignIn {
    pub(crate) fn seal(ring: &Ring, started: Started) -> Result<Self> {
        let mut plain = started.requested_at.as_millis().to_be_bytes().to_vec();
        if let Some(max_age) = started.max_age {
            plain.extend_from_slice(&max_age.as_secs().to_be_bytes());
        }
        ring.seal(Self::PURPOSE, &plain).map(Self::from_sealed)
    }

    pub(crate) fn open(&self, ring: &Ring) -> Result<Started> {
        let plain = ring
            .open(Self::PURPOSE, self.sealed())
            .map_err(|error| invalid_text(self.sealed(), error))?;
        let mut rest = plain.as_slice();
        let requested_at = take(&mut rest).map(u64::from_be_bytes);
        let max_age = take(&mut rest).map(u64::from_be_bytes);
        match requested_at {
            Some(millis) if rest.is_empty() => Ok(Started {
                requested_at: Timestamp::from_millis(millis),
                max_age: max_age.map(Duration::from_secs),
            }),
            _ => Err(
                Error::new(ErrorKind::InvalidTicket, "open a started sign-in")
                    .message("its length is wrong; have the user sign in again"),
            ),
        }
    }
}

/// The input of [`TokenCache::sign_in`](crate::TokenCache::sign_in): a user who has just authenticated, and the settings of the new
/// session.
///
/// The app creates it in the callback from the provider, from the claims of an ID token that the app has verified.
///
/// ```
/// # use std::time::Duration;
/// # use token_cache::{SignIn, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// let started = cache.start_sign_in()?; // before the redirect
/// // in the callback, with the claims of a verified ID token:
/// let claims = serde_json::json!({
///     "iss": "https://id.example", "sub": "248289761001", "sid": "08a5019c", "auth_time": 1_700_000_000,
/// });
/// let sign_in = SignIn::from_claims(&claims, &started)?.lifetime(Duration::from_secs(8 * 3600));
/// let session = cache.sign_in(sign_in).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SignIn {
    pub(crate) account: AccountId,
    pub(crate) started: StartedSignIn,
    pub(crate) provider_session: Option<ProviderSid>,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) session_expiry: Option<Timestamp>,
    pub(crate) lifetime: Duration,
    pub(crate) background_access: bool,
}

impl SignIn {
    /// Creates a sign-in of the user `account`. For the claims of an ID token, use [`from_claims`](Self::from_claims), which also reads the
    /// `sid` and the times.
    ///
    /// `started` is the result of [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in), from before the redirect to the
    /// provider.
    ///
    /// The defaults, which the other methods change:
    /// - The session lives eight hours, and only its ticket opens it.
    /// - It has no `sid`. A logout message that names only a `sid` does not end it.
    /// - It has no `auth_time`. The user counts as authenticated five seconds before the authorization request was sent.
    pub fn new(account: AccountId, started: &StartedSignIn) -> Self {
        Self {
            account,
            started: started.clone(),
            provider_session: None,
            auth_time: None,
            session_expiry: None,
            lifetime: DEFAULT_LIFETIME,
            background_access: false,
        }
    }

    /// Creates a sign-in from the claims of a *verified* ID token: `iss`, `sub` and, if present, `sid`, `auth_time` and `session_expiry`.
    /// Other claims are not used.
    ///
    /// `started` is the result of [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in), from before the redirect to the
    /// provider. `claims` is anything that serializes to the JSON object of the claims.
    ///
    /// `claims` must contain **all** of these members that the ID token has. `CoreIdTokenClaims` of the crate `openidconnect` has no `sid`
    /// and no `session_expiry`. With it, a logout message that names only a `sid` ends nothing. For that crate use
    /// `token_cache::providers::SessionClaims` (crate `token-cache-providers`), which verifies an ID token and reads these claims.
    ///
    /// - `auth_time`: request it from the provider, by `max_age` or the claims request. Without it, the user counts as authenticated five
    ///   seconds before the authorization request was sent. A value that cannot be right is ignored and logged at WARN: a time before the
    ///   year 2000, or more than five minutes ahead of the store's clock.
    /// - `session_expiry` (OpenID IPSIE, seconds since 1970): the session ends at this time, if its lifetime would end later.
    /// - `sid`: an empty text counts as absent.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `claims` does not serialize to JSON, or if `iss` or `sub` is missing or invalid for
    /// [`AccountId::new`]. The same error is returned if one of the five claims has another type than OpenID Connect Core 1.0 section 2
    /// requires.
    pub fn from_claims(claims: &impl Serialize, started: &StartedSignIn) -> Result<Self> {
        let claims = Claims::of("read the claims of an ID token", claims)?;
        let issuer = claims.required_text("iss")?;
        let account = AccountId::new(issuer, claims.required_text("sub")?)?;
        let mut sign_in = Self::new(account, started);
        if let Some(sid) = claims.text("sid")?.filter(|sid| !sid.is_empty()) {
            sign_in.provider_session = Some(ProviderSid::new(issuer, sid)?);
        }
        sign_in.auth_time = claims.date("auth_time")?;
        sign_in.session_expiry = claims.date("session_expiry")?;
        Ok(sign_in)
    }

    /// Sets the claim `sid` of the ID token: the provider's identifier of its own session. A logout message of the account's issuer with
    /// this `sid` then ends the session.
    ///
    /// By default, the session has no `sid`, and a logout message that names only a `sid` does not end it.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `sid` is empty, contains only white space, or is longer than 8 KiB.
    pub fn sid(mut self, sid: impl Into<String>) -> Result<Self> {
        self.provider_session = Some(ProviderSid::new(self.account.issuer(), sid)?);
        Ok(self)
    }

    /// Sets the claim `auth_time` of the ID token: when the user authenticated, on the provider's clock. A logout message that names only
    /// the `sub`, and was issued before this time, does not end the session.
    ///
    /// By default, the user counts as authenticated five seconds before the authorization request was sent. The same holds for a value that
    /// cannot be right. [`TokenCache::sign_in`](crate::TokenCache::sign_in) logs such a value at WARN: a time before the year 2000, or more
    /// than five minutes ahead of the store's clock.
    pub fn auth_time(mut self, auth_time: Timestamp) -> Self {
        self.auth_time = Some(auth_time);
        self
    }

    /// Sets the claim `session_expiry` of the ID token (OpenID IPSIE): the latest end of the provider's own session. The session of the
    /// cache ends at this time, if its lifetime would end later.
    ///
    /// By default, only the lifetime limits the session. [`TokenCache::sign_in`](crate::TokenCache::sign_in) ignores a time before the year
    /// 2000, and logs it at WARN. If any other time has passed, it refuses the sign-in with [`SignInRevoked`](ErrorKind::SignInRevoked).
    pub fn session_expiry(mut self, session_expiry: Timestamp) -> Self {
        self.session_expiry = Some(session_expiry);
        self
    }

    /// Sets how long the session lives: from one second to 400 days, eight hours by default. The session ends then, even if it is in use.
    ///
    /// [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses other values with [`Misuse`](ErrorKind::Misuse).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Allows a job without the ticket to open the session, by its account alone: see
    /// [`TokenCache::background_session`](crate::TokenCache::background_session). By default, only the ticket opens the session.
    ///
    /// This weakens the protection of the tokens: the data of the store and the servers' key ring together are then enough to decrypt them.
    /// Background access ends with the session.
    pub fn background_access(mut self) -> Self {
        self.background_access = true;
        self
    }

    pub(crate) fn checked_lifetime(&self) -> Result<Duration> {
        if self.lifetime < Duration::from_secs(1) || self.lifetime > MAX_LIFETIME {
            return Err(Error::misuse(
                "sign in",
                "the lifetime of a session must be from one second to 400 days; set it to the lifetime of the app's cookie",
            ));
        }
        Ok(self.lifetime)
    }
}

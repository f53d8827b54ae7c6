use std::time::Duration;

use serde::Serialize;

use crate::{
    AccountId, Error, ErrorKind, ProviderSid, Result, Timestamp,
    claims::Claims,
    seal::Ring,
    sealed_text::{invalid_text, sealed_text},
    ticket::take,
};

/// The longest lifetime of a session: 400 days, as long as a browser stores a cookie (RFC 6265bis section 5.5).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

sealed_text! {
    /// A sign-in that has been started: the time of its authorization request, and the `max_age` of the request if it had one. Encrypted.
    ///
    /// [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in) returns it. The app stores its [text](Self::to_text) in a cookie
    /// until the callback, and parses it there for [`SignIn`]. A sign-in whose user was signed out between the request and the callback
    /// is refused (G2).
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

/// The input of [`TokenCache::sign_in`](crate::TokenCache::sign_in): a user who has just authenticated, and the settings of the session
/// to begin.
///
/// The app creates it in the callback from the provider, from the claims of an ID token that it has verified.
///
/// ```
/// # use std::time::Duration;
/// # use token_cache_core::{SignIn, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
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
    /// Creates a sign-in of `account`, whose authorization request was `started`. For the claims of an ID token, use
    /// [`from_claims`](Self::from_claims).
    ///
    /// By default, the session lives eight hours and has no `sid`, no `auth_time` and no background access. Without a `sid`, a logout
    /// message that names only a `sid` does not end it. Without an `auth_time`, it counts as authenticated five seconds before its
    /// request.
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
    /// `started` is the result of [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in).
    ///
    /// `claims` is anything that serializes to the JSON object of the claims, with **all** of these members. `CoreIdTokenClaims`
    /// of the crate `openidconnect` has no `sid` and no `session_expiry`: with it, a logout message that names only a `sid` ends
    /// nothing. For that crate use `SessionClaims` of `token-cache-providers` (`token_cache::providers::SessionClaims`), which
    /// verifies an ID token and reads these claims.
    ///
    /// - Ask the provider for `auth_time` (by `max_age`, or the claims request). Without it, the session counts as authenticated
    ///   five seconds before its request. A value that cannot be right is ignored and logged at WARN: zero, before the year 2000,
    ///   or more than five minutes ahead of the store's clock.
    /// - `session_expiry` (OpenID IPSIE, seconds since 1970) limits the session's lifetime.
    /// - An empty `sid` counts as absent. Other claims, such as `iat`, are not used.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `iss` or `sub` is missing or empty, or one of the five has another type than
    /// OpenID Connect Core 1.0 section 2 requires.
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

    /// Sets the provider's `sid`, by which logout messages of the account's issuer can end the session.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if it is empty or over 8 KiB.
    pub fn sid(mut self, sid: impl Into<String>) -> Result<Self> {
        self.provider_session = Some(ProviderSid::new(self.account.issuer(), sid)?);
        Ok(self)
    }

    /// Sets when the user authenticated, by the provider's clock. A logout message that names the `sub` and was issued earlier does not
    /// end the session.
    ///
    /// A value that cannot be right is ignored at sign-in and logged at WARN, as in [`from_claims`](Self::from_claims).
    pub fn auth_time(mut self, auth_time: Timestamp) -> Self {
        self.auth_time = Some(auth_time);
        self
    }

    /// Sets the latest time at which the provider's session expires. The app's session ends then, if its lifetime is longer.
    ///
    /// By default, only the lifetime limits the session. A time before the year 2000 is ignored and logged at WARN. If the time has
    /// passed, the sign-in is refused with [`SignInRevoked`](ErrorKind::SignInRevoked).
    pub fn session_expiry(mut self, session_expiry: Timestamp) -> Self {
        self.session_expiry = Some(session_expiry);
        self
    }

    /// Sets how long the session lives: from one second to 400 days, eight hours by default.
    /// [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses other values with [`Misuse`](ErrorKind::Misuse).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Allows opening the session by its account alone, without the ticket: see
    /// [`TokenCache::background_session`](crate::TokenCache::background_session). By default, only the ticket opens it.
    ///
    /// This weakens the protection of the tokens: the store and the servers' key ring together are enough to decrypt them. Background
    /// access ends with the session.
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

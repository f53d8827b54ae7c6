use std::time::Duration;

use serde::Serialize;

use crate::{
    AccountId, Error, ErrorKind, ProviderSession, Result, Timestamp,
    claims::Claims,
    seal::Ring,
    sealed_text::{invalid_text, sealed_text},
    ticket::take,
};

/// How long a session may live: 400 days, as long as a browser keeps a cookie (RFC 6265bis section 5.5).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

sealed_text! {
    /// The moment an authorization request was sent, sealed: made by
    /// [`TokenCache::start_sign_in`](crate::TokenCache::start_sign_in), kept in the state cookie until the callback.
    ///
    /// It is the session's place on the store's clock, so that a sign-out that came in between refuses the sign-in (G2).
    StartedSignIn, "started sign-in"
}

impl StartedSignIn {
    pub(crate) fn seal(ring: &Ring, requested_at: Timestamp) -> Result<Self> {
        ring.seal(Self::PURPOSE, &requested_at.as_millis().to_be_bytes())
            .map(Self::from_sealed)
    }

    pub(crate) fn open(&self, ring: &Ring) -> Result<Timestamp> {
        let plain = ring
            .open(Self::PURPOSE, self.sealed())
            .map_err(invalid_text)?;
        let mut rest = plain.as_slice();
        match take(&mut rest) {
            Some(bytes) if rest.is_empty() => Ok(Timestamp::from_millis(u64::from_be_bytes(bytes))),
            _ => Err(
                Error::new(ErrorKind::InvalidTicket, "open a started sign-in")
                    .message("it has another length than this release writes"),
            ),
        }
    }
}

/// A user who has just authenticated: whose session [`TokenCache::sign_in`](crate::TokenCache::sign_in) is to begin.
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
    pub(crate) provider_session: Option<ProviderSession>,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) lifetime: Duration,
    pub(crate) escrow: bool,
}

impl SignIn {
    /// A sign-in of `account` whose authorization request was `started`.
    ///
    /// Its session lives eight hours, has no `sid`, no `auth_time` and no escrow, unless said.
    pub fn new(account: AccountId, started: &StartedSignIn) -> Self {
        Self {
            account,
            started: started.clone(),
            provider_session: None,
            auth_time: None,
            lifetime: DEFAULT_LIFETIME,
            escrow: false,
        }
    }

    /// Takes `iss`, `sub` and, where they are, `sid` and `auth_time` from the claims of a *verified* ID token.
    ///
    /// `claims` is whatever serializes to the claims' JSON, as those of the crate `openidconnect` do. Ask the provider for
    /// `auth_time` (by `max_age`, or the claims request): without it the session stands at its request less five seconds.
    /// Other claims, the token's `iat` above all, have no say.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) where `iss` or `sub` is missing or empty, or one of the four has another type than
    /// OpenID Connect Core 1.0 section 2 says.
    pub fn from_claims(claims: &impl Serialize, started: &StartedSignIn) -> Result<Self> {
        let claims = Claims::of("read the claims of an ID token", claims)?;
        let issuer = claims.required_text("iss")?;
        let account = AccountId::new(issuer, claims.required_text("sub")?)?;
        let mut sign_in = Self::new(account, started);
        if let Some(sid) = claims.text("sid")? {
            sign_in.provider_session = Some(ProviderSession::new(issuer, sid)?);
        }
        sign_in.auth_time = claims.date("auth_time")?;
        Ok(sign_in)
    }

    /// Labels the session with the provider's `sid`; it is of the account's issuer.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) where it is empty or over 8 KiB.
    pub fn sid(mut self, sid: impl Into<String>) -> Result<Self> {
        self.provider_session = Some(ProviderSession::new(self.account.issuer(), sid)?);
        Ok(self)
    }

    /// Says when the user authenticated, by the provider's clock.
    pub fn auth_time(mut self, auth_time: Timestamp) -> Self {
        self.auth_time = Some(auth_time);
        self
    }

    /// Says how long the session lives: up to 400 days.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Lets those open the session who know only its account: see [`TokenCache::account`](crate::TokenCache::account).
    ///
    /// What it gives up: whoever has both the store and the secret can open the session's tokens, without its ticket.
    /// The escrow ends with the session.
    pub fn escrow(mut self) -> Self {
        self.escrow = true;
        self
    }

    pub(crate) fn checked_lifetime(&self) -> Result<Duration> {
        if self.lifetime < Duration::from_secs(1) || self.lifetime > MAX_LIFETIME {
            return Err(Error::misuse(
                "sign in",
                "the lifetime of a session is one second to 400 days; set it to how long the app's cookie lives",
            ));
        }
        Ok(self.lifetime)
    }
}

use std::time::Duration;

use serde::Serialize;

use super::{Session, TokenCache, background};
use crate::store::backend::in_boxed_call;
use crate::{
    AccountId, Error, ErrorKind, ProviderSid, Result, SessionKind, SessionTimes, StartedSignIn,
    Timestamp,
    crypto::{started_sign_in::Started, ticket::TicketPayload},
    protocol::{BackgroundPlan, SignInPlan},
    telemetry::{About, Operation, observe},
    types::{
        auth_time::{AuthTime, session_end},
        claims::Claims,
        ticket_secret::TicketSecret,
    },
};

/// How far the provider's clock may be behind the store's, if the ID token has no `auth_time`.
pub(super) const MARGIN: Duration = Duration::from_secs(5);

/// The longest lifetime of a session: 400 days, as long as a browser stores a cookie (RFC 6265bis section 5.5).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

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
    /// and no `session_expiry`. With these claims, the session has no `sid`, so a logout message that names only a `sid` does not end it.
    /// For that crate use `token_cache::providers::SessionClaims` (crate `token-cache-providers`), which verifies an ID token and reads
    /// these claims.
    ///
    /// - `auth_time`: request it from the provider, by `max_age` or the claims request. Without it, the user counts as authenticated five
    ///   seconds before the authorization request was sent. A value that cannot be right is ignored and logged at WARN: a time before the
    ///   year 2000, or more than five minutes ahead of the store's clock.
    /// - `session_expiry` (OpenID IPSIE, seconds since 1970): the session ends at this time, if its lifetime would end later.
    /// - `sid`: an empty text counts as absent.
    ///
    /// # Errors
    /// [`Misuse`](ErrorKind::Misuse) if `claims` does not serialize to JSON, or if `iss` or `sub` is missing or invalid for
    /// [`AccountId::new`]. The same error is returned if `sid` contains only white space or is longer than 8 KiB. It is also returned if
    /// one of the five claims has another type than OpenID Connect Core 1.0 section 2 requires.
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

    /// Sets the claim `sid` of the ID token: the provider's identifier of its own session. A [logout message](crate::LogoutMessage) of the
    /// account's issuer with this `sid` then ends the new session.
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
    /// the `sub` ends the session if it was issued at this time or later. A message that was issued before does not end it.
    ///
    /// By default, the user counts as authenticated five seconds before the authorization request was sent. The same holds for a value that
    /// cannot be right. [`TokenCache::sign_in`](crate::TokenCache::sign_in) logs such a value at WARN: a time before the year 2000, or more
    /// than five minutes ahead of the store's clock.
    pub fn auth_time(mut self, auth_time: Timestamp) -> Self {
        self.auth_time = Some(auth_time);
        self
    }

    /// Sets the claim `session_expiry` of the ID token (OpenID IPSIE): the latest end of the provider's own session. The session that the
    /// cache begins ends at this time, if its [lifetime](Self::lifetime) would end later.
    ///
    /// By default, the session lives for its whole lifetime. [`TokenCache::sign_in`](crate::TokenCache::sign_in) ignores a time before the
    /// year 2000, and logs it at WARN. For a later time that has passed already, it returns [`SignInRevoked`](ErrorKind::SignInRevoked).
    pub fn session_expiry(mut self, session_expiry: Timestamp) -> Self {
        self.session_expiry = Some(session_expiry);
        self
    }

    /// Sets the lifetime of the new session, counted from [`TokenCache::sign_in`](crate::TokenCache::sign_in). The default is eight hours,
    /// and the range is one second to 400 days. The session ends after this time, even if it is in use.
    ///
    /// [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses a value outside of the range with [`Misuse`](ErrorKind::Misuse).
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

impl TokenCache {
    /// Starts a sign-in: returns the current time on the store's clock, encrypted. Call it just before the app redirects the user to the
    /// provider. Does no I/O.
    ///
    /// The app stores the result in a cookie of the browser, beside `state` and `nonce`. In the callback from the provider, it passes the
    /// result to [`SignIn::new`] or [`SignIn::from_claims`]. If the app signs the account out between this call and the callback,
    /// [`sign_in`](Self::sign_in) refuses the sign-in with [`SignInRevoked`](crate::ErrorKind::SignInRevoked) (G2). It does the same if the
    /// user takes longer than the [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout), 15 minutes by default.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    /// - [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system returns no random bytes.
    pub fn start_sign_in(&self) -> Result<StartedSignIn> {
        self.started(None)
    }

    /// Starts a sign-in like [`start_sign_in`](Self::start_sign_in), for an authorization request with the parameter `max_age`. `max_age`
    /// is the value of that parameter. It counts in whole seconds, and a fraction of a second is dropped. Does no I/O.
    ///
    /// In addition to the other checks, [`sign_in`](Self::sign_in) then returns [`SignInRevoked`](crate::ErrorKind::SignInRevoked) in these
    /// cases (OpenID Connect Core 1.0 section 3.1.3.7):
    /// - The user authenticated more than `max_age` plus one minute before this call.
    /// - The ID token has no `auth_time`.
    /// - The `auth_time` cannot be right, and `max_age` is less than a day. With a longer `max_age`, such an `auth_time` is ignored.
    ///
    /// An `auth_time` cannot be right if it is before the year 2000, or more than five minutes ahead of the store's clock.
    ///
    /// The result contains `max_age` encrypted. A user cannot avoid the check by removing the parameter from the authorization request.
    ///
    /// # Errors
    /// As [`start_sign_in`](Self::start_sign_in).
    pub fn start_sign_in_with_max_age(&self, max_age: Duration) -> Result<StartedSignIn> {
        self.started(Some(max_age))
    }

    fn started(&self, max_age: Option<Duration>) -> Result<StartedSignIn> {
        let requested_at = self.keys()?.earliest;
        StartedSignIn::seal(
            &self.0.ring,
            Started {
                requested_at,
                max_age,
            },
        )
    }

    /// Turns on a warning about sign-ins without a `sid`, for users of `issuer`. By default, the warning is off for every issuer. Call it
    /// if the [logout messages](crate::LogoutMessage) of this issuer name sessions by `sid`. A message that names only a `sid` does not end
    /// a session that has none.
    ///
    /// This app server logs at WARN the first sign-in at the issuer that has no `sid`, and does not log later ones. Sign-ins without a
    /// `sid` succeed nevertheless. `ClientRegistration::sid_claim` of the crate `token-cache-sign-out` calls this method.
    pub fn expect_sid(&self, issuer: &str) {
        self.0.expected_sids.add(issuer);
    }

    /// Begins a new session for a user who has just authenticated, and returns it. Call it in the callback from the provider. Then put the
    /// session's [ticket](Session::ticket) into a new cookie.
    ///
    /// The caller must have verified the user's ID token: a forged one signs its sender in as another user. The account's other sessions
    /// continue. If the account then has more sessions than [`max_sessions`](crate::TokenCacheBuilder::max_sessions), the oldest ones end.
    ///
    /// The sign-in is refused in these cases:
    /// - Since [`start_sign_in`](Self::start_sign_in), the app has signed out the account, its issuer or the `sid` of the ID token (G2).
    /// - A logout message of the provider named the account, and was issued when the user authenticated or later (G2).
    /// - A logout message of the provider named the `sid` of the ID token.
    /// - The user took longer than the [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout), or the time in the
    ///   [`StartedSignIn`](crate::StartedSignIn) is in the future of the store's clock.
    /// - The authentication does not fulfil the `max_age` of [`start_sign_in_with_max_age`](Self::start_sign_in_with_max_age).
    /// - The `session_expiry` of the ID token has passed.
    ///
    /// One request stores the session. Another one reads the issuer's not-before time: the time of a sign-out of the whole issuer. One more adds the `sid`, if the sign-in has one. Background access takes one more
    /// request. On DynamoDB, some of these steps take two or three requests.
    ///
    /// # Errors
    /// - [`SignInRevoked`](crate::ErrorKind::SignInRevoked) if the sign-in is refused. Show a page that offers a new sign-in with
    ///   `prompt=login`, and do not redirect automatically.
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the session's lifetime is not between one second and 400 days.
    /// - [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the started sign-in was changed or truncated.
    /// - [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server's key ring lacks the key that the started sign-in was encrypted under.
    /// - The errors of the store.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Session> {
        let begin = in_boxed_call(self.begin(sign_in));
        observe(Operation::SignIn, About::default(), begin, |_| "begun").await
    }

    async fn begin(&self, sign_in: SignIn) -> Result<Session> {
        let lifetime = sign_in.checked_lifetime()?;
        let started = sign_in.started.open(&self.0.ring)?;
        let requested_at = started.requested_at;
        let keys = self.fresh_keys().await?;
        let not_after = requested_at + self.0.settings.sign_in_timeout;
        if requested_at > keys.latest {
            return Err(overdue(
                "the sign-in was started at a time that the store's clock has not reached; start again with `prompt=login`",
            ));
        }
        if keys.earliest > not_after {
            return Err(overdue(
                "the sign-in took longer than the sign-in timeout, so a sign-out in between could have been missed; start again with `prompt=login`",
            ));
        }
        let issuer = sign_in.account.issuer();
        let auth_time = AuthTime::judge(sign_in.auth_time, keys.latest, issuer);
        auth_time.check_max_age(started.max_age, requested_at)?;
        let ends_at = session_end(keys.latest, lifetime, sign_in.session_expiry, issuer)?;
        if sign_in.provider_session.is_none() {
            self.0.expected_sids.missing_at(issuer);
        }
        let cache = self.clone();
        self.run_detached("sign in", async move {
            let account = keys.id_key.account(&sign_in.account);
            let payload = |ticket_secret: &TicketSecret| TicketPayload {
                generation: keys.generation,
                account,
                ticket_secret: ticket_secret.clone(),
                ends_at,
            };
            let seal = |ticket_secret: &TicketSecret| {
                background::seal_background_session(&cache.0.ring, &payload(ticket_secret))
            };
            let plan = SignInPlan {
                account,
                sid: sign_in
                    .provider_session
                    .as_ref()
                    .map(|session| keys.id_key.sid(session)),
                kind: SessionKind::Direct,
                times: times(requested_at, auth_time.time()),
                ends_at,
                not_after,
                max_sessions: cache.0.settings.max_sessions,
                now: keys.latest,
                mint: &TicketSecret::mint,
                background: sign_in.background_access.then(|| BackgroundPlan {
                    name: keys.id_key.background_key_by_account(),
                    seal: &seal,
                }),
            };
            let signed_in = cache.path().sign_in(&plan).await?;
            Session::new(cache.clone(), payload(&signed_in.ticket_secret))
        })
        .await
        .map_err(revoked)
    }
}

fn times(requested_at: Timestamp, auth_time: Option<Timestamp>) -> SessionTimes {
    SessionTimes {
        requested_at,
        auth_time: auth_time.unwrap_or(requested_at - MARGIN),
    }
}

/// A store refuses an overtaken sign-in with the same error as any operation after a sign-out.
fn revoked(error: Error) -> Error {
    if !error.is_signed_out() {
        return error;
    }
    Error::new(ErrorKind::SignInRevoked, "sign in").with_source(error)
}

fn overdue(message: &str) -> Error {
    Error::new(ErrorKind::SignInRevoked, "sign in").message(message)
}

use std::time::Duration;

use super::{Session, TokenCache, background};
use crate::backend::in_boxed_call;
use crate::{
    Error, ErrorKind, Result, SessionKind, SessionTimes, SignIn, StartedSignIn, Timestamp,
    auth_time::{AuthTime, session_end},
    protocol::{self, BackgroundPlan, SignInPlan},
    sign_in::Started,
    telemetry::{About, Operation, observe},
    ticket::TicketPayload,
    ticket_secret::TicketSecret,
};

/// How far the provider's clock may be behind the store's, if the ID token has no `auth_time`.
pub(super) const MARGIN: Duration = Duration::from_secs(5);

impl TokenCache {
    /// Starts a sign-in: returns the present time, encrypted. Call it just before the app redirects the user to the provider. Does no I/O.
    ///
    /// The app stores the result in a cookie of the browser, beside `state` and `nonce`. In the callback, it passes the result to
    /// [`SignIn::new`] or [`SignIn::from_claims`]. A sign-out between the two refuses the sign-in (G2).
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace has another secret by now.
    pub fn start_sign_in(&self) -> Result<StartedSignIn> {
        self.started(None)
    }

    /// Starts a sign-in whose authorization request has the parameter `max_age`, in whole seconds. Does no I/O.
    ///
    /// [`sign_in`](Self::sign_in) then refuses an authentication that was older than this when the request was sent, with a
    /// leeway of one minute. It also refuses an ID token without `auth_time` (OpenID Connect Core 1.0 section 3.1.3.7). The value is
    /// encrypted, so a user cannot avoid the check by removing `max_age` from the request. An `auth_time` that cannot be right is refused
    /// under a `max_age` of less than a day, and ignored under a longer one.
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

    /// Turns on a warning for sign-ins of users of `issuer` without a `sid`. Call it if the issuer's logout messages name sessions by
    /// `sid`.
    ///
    /// A sign-in without a `sid` is then logged at WARN, once for each issuer, and succeeds as before. Its session is not ended by a
    /// message that names only a `sid`. `ClientRegistration::sid_claim` of `token-cache-sign-out` calls this.
    pub fn expect_sid(&self, issuer: &str) {
        self.0.expected_sids.add(issuer);
    }

    /// Begins a session for a user who has just authenticated, and returns it. It is always a new one, whatever other sessions the user
    /// has.
    ///
    /// The caller must have verified the user's ID token. Call it in the callback from the provider, and put the session's
    /// [ticket](Session::ticket) into a new cookie.
    ///
    /// Sends one request each for the account's record, the `sid`'s index entry (with a `sid`), the issuer's not-before time and
    /// the background session (with background access).
    ///
    /// # Errors
    /// - [`SignInRevoked`](crate::ErrorKind::SignInRevoked) if a sign-out came after the user's authentication, or the user took longer
    ///   than the sign-in timeout (G2). The same error is returned if the authentication is older than the `max_age` of the request, or
    ///   has no `auth_time` then, or if its `session_expiry` has passed. Show a page that offers a new sign-in with `prompt=login`, and
    ///   do not redirect automatically.
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the lifetime is out of range.
    /// - [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the started sign-in was changed or truncated.
    /// - [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server lacks the key of the started sign-in.
    /// - [`Unsupported`](crate::ErrorKind::Unsupported) for background access if the store does not support it.
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
            let signed_in = protocol::sign_in(cache.store(), &plan).await?;
            if signed_in.displaced > 0 {
                cache.tell(&account);
            }
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

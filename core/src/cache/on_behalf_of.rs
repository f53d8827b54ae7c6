use super::{Keys, Session, TokenCache, background, sign_in::MARGIN};
use crate::store::backend::in_boxed_call;
use crate::{
    Error, OnBehalfOf, Result, SessionKind, SessionTimes,
    crypto::ticket::TicketPayload,
    protocol::{BackgroundPlan, SignInPlan},
    telemetry::{About, Operation, observe},
    types::ticket_secret::TicketSecret,
};

/// The purpose for which the ticket secret is sealed.
const PURPOSE: &str = TicketPayload::BACKGROUND_BY_ASSERTION;

const OPERATION: &str = "act on behalf of a user";

impl TokenCache {
    /// Returns the session of an *assertion*: an access token that this web API was called with. If the assertion has no session yet, the
    /// method begins one.
    ///
    /// The caller must have verified the token: a forged one gives its sender the session of another user. Every server that is called with
    /// the same token gets the same session. Decrypting the session's entries needs both the token and the servers' key ring.
    ///
    /// A sign-out of the user's account ends the session, which ends at the latest when the token expires. After the sign-out, a token that
    /// was issued before it begins no session (G2).
    ///
    /// Returning an existing session sends one request (two on DynamoDB). Beginning a session also sends the requests of
    /// [`sign_in`](Self::sign_in). If two servers are called with a new token at the same time, each may begin a session. Later calls
    /// return the newest one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// # use std::time::Duration;
    /// # use token_cache::{MemoryStore, Secret, TokenCache, on_behalf_of::OnBehalfOf};
    /// let cache = TokenCache::builder(MemoryStore::new())
    ///     .secret(Secret::random()?)
    ///     .longest_assertion(Duration::from_secs(2 * 3600)) // on every server, those of the app too
    ///     .open()
    ///     .await?;
    /// # let iat = cache.now()?.as_millis() / 1000;
    /// // the verified claims of the token in the request's `Authorization` header:
    /// let claims = serde_json::json!({
    ///     "iss": "https://id.example", "sub": "248289761001", "iat": iat, "exp": iat + 3600,
    /// });
    /// let session = cache.on_behalf_of(OnBehalfOf::from_claims(&claims, "eyJ0…")?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`SignedOut`](crate::ErrorKind::SignedOut) if the user signed out since the token was issued, if the token has expired, or if its
    ///   `iat` is more than five seconds ahead of the store's clock. Answer with status 401, so that the API's caller gets a new token.
    /// - [`Misuse`](crate::ErrorKind::Misuse) if [`longest_assertion`](crate::TokenCacheBuilder::longest_assertion) is not set.
    /// - [`Config`](crate::ErrorKind::Config) if the token lives longer than
    ///   [`longest_assertion`](crate::TokenCacheBuilder::longest_assertion), counted from its `iat` to its `exp`.
    /// - The errors of [`background_session`](Self::background_session) and of the store.
    pub async fn on_behalf_of(&self, on_behalf_of: OnBehalfOf) -> Result<Session> {
        self.check_life(&on_behalf_of)?;
        let keys = self.fresh_keys().await?;
        if on_behalf_of.expires_at <= keys.latest {
            return Err(refused("the assertion has expired"));
        }
        let time = on_behalf_of.issued_at - MARGIN;
        if time > keys.latest {
            return Err(refused(
                "the assertion was issued at a time that the store's clock has not reached",
            ));
        }
        let account = keys.id_key.account(&on_behalf_of.account);
        let name = keys
            .id_key
            .background_key_by_assertion(&on_behalf_of.assertion);
        let found = background::find_background_session(self, &account, &name, &keys, |sealed| {
            let assertion = &on_behalf_of.assertion;
            let ring = &self.0.ring;
            TicketPayload::of_plain(PURPOSE, &ring.open_with(PURPOSE, assertion, sealed)?)
        });
        if let Some(session) = found.await? {
            return Ok(session);
        }
        let cache = self.clone();
        let begin = self.run_detached(OPERATION, async move {
            cache.begin_on_behalf_of(on_behalf_of, &keys).await
        });
        observe(
            Operation::SignIn,
            About::default(),
            in_boxed_call(begin),
            |_| "begun",
        )
        .await
    }

    /// Uses the assertion's `exp` both as the session's end and as the limit of every step. A not-before time that may have to
    /// refuse the session lives longer than any assertion.
    async fn begin_on_behalf_of(&self, on_behalf_of: OnBehalfOf, keys: &Keys) -> Result<Session> {
        let OnBehalfOf {
            account,
            assertion,
            issued_at,
            expires_at,
            provider_session,
        } = on_behalf_of;
        let account = keys.id_key.account(&account);
        let payload = |ticket_secret: &TicketSecret| TicketPayload {
            generation: keys.generation,
            account,
            ticket_secret: ticket_secret.clone(),
            ends_at: expires_at,
        };
        let ring = &self.0.ring;
        let seal = |ticket_secret: &TicketSecret| {
            ring.seal_with(PURPOSE, &assertion, &payload(ticket_secret).plain())
        };
        let time = issued_at - MARGIN;
        let plan = SignInPlan {
            account,
            sid: provider_session.map(|session| keys.id_key.sid(&session)),
            kind: SessionKind::OnBehalfOf,
            times: SessionTimes {
                requested_at: time,
                auth_time: time,
            },
            ends_at: expires_at,
            not_after: expires_at,
            max_sessions: self.0.settings.max_sessions,
            now: keys.latest,
            mint: &TicketSecret::mint,
            background: Some(BackgroundPlan {
                name: keys.id_key.background_key_by_assertion(&assertion),
                seal: &seal,
            }),
        };
        let signed_in = self.path().sign_in(&plan).await?;
        Session::new(self.clone(), payload(&signed_in.ticket_secret))
    }

    fn check_life(&self, on_behalf_of: &OnBehalfOf) -> Result<()> {
        let life = on_behalf_of.life();
        match self.0.settings.longest_assertion {
            None => Err(Error::misuse(
                OPERATION,
                "`longest_assertion` is not set, and without it sign-outs are not remembered for as long as an assertion is valid; \
                 set `TokenCacheBuilder::longest_assertion` on every server that shares the store",
            )),
            Some(longest) if life > longest => Err(Error::config(
                OPERATION,
                format!(
                    "the assertion lives {} s, and `longest_assertion` is {} s; raise it on every server that shares the store",
                    life.as_secs(),
                    longest.as_secs(),
                ),
            )),
            Some(_) => Ok(()),
        }
    }
}

fn refused(message: &str) -> Error {
    Error::signed_out(OPERATION).message(message)
}

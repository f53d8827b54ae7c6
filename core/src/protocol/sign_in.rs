use std::fmt;

use crate::{
    AccountKey, BackgroundKey, BackgroundSession, BeginSession, Error, ErrorKind, EvictOptions,
    ReadOptions, Result, SessionKind, SessionRecord, SessionTimes, SidEntry, SidKey, TicketSecret,
    Timestamp, TokenStore, protocol::end_session, telemetry,
};

/// How many times the first step is sent before the sign-in fails.
const SENDS: usize = 3;

/// The input of [`sign_in`]: the session to begin, with the keyed hashes that the store knows.
///
/// [`TokenCache::sign_in`](crate::TokenCache::sign_in) and [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) create it. Apps do
/// not need it.
pub struct SignInPlan<'a> {
    /// The account of the new session.
    pub account: AccountKey,
    /// The keyed hash of the provider's `sid`. `None` if the sign-in has no `sid`.
    pub sid: Option<SidKey>,
    /// The way in which the session is begun: by a sign-in of the user or the application, or by a web API on behalf of a user.
    /// [`max_sessions`](Self::max_sessions) limits the sessions of each kind separately.
    pub kind: SessionKind,
    /// The times of the authentication that begins the session: one on the store's clock, and one on the provider's.
    pub times: SessionTimes,
    /// The time at which the session's lifetime ends, on the store's clock.
    pub ends_at: Timestamp,
    /// The deadline of the sign-in, on the store's own clock. The store refuses each of the steps 1 to 3 of [`sign_in`] that arrives at
    /// this time or later with [`SignedOut`](ErrorKind::SignedOut).
    pub not_after: Timestamp,
    /// The largest number of living sessions of each kind in the account, including the new session. If there would be more, the store ends
    /// the oldest ones. A value of zero counts as one.
    pub max_sessions: usize,
    /// The time on the store's clock, as the app server estimates it. A session whose lifetime ends at this time or earlier counts as
    /// ended.
    pub now: Timestamp,
    /// Creates a random ticket secret, as [`TicketSecret::mint`] does. [`sign_in`] calls it each time that it sends the first step, which
    /// stores the session's record. A test can pass a function of its own.
    pub mint: &'a (dyn Fn() -> Result<TicketSecret> + Send + Sync),
    /// The [background session](BackgroundSession) to store with the session, so that the session can be opened without its ticket. `None`
    /// if only the ticket can open the session.
    pub background: Option<BackgroundPlan<'a>>,
}

/// A [background session](BackgroundSession) that [`sign_in`] stores in its last step. With it, the session can be opened without its
/// ticket: by a job, or by a web API that has the user's access token. Apps do not need it.
pub struct BackgroundPlan<'a> {
    /// The name of the background session among those of the account. A store keeps several under one name, one for each session of the
    /// account: [`find`](crate::BackgroundSessions::find) returns all of them.
    pub name: BackgroundKey,
    /// Encrypts the ticket secret of the session together with the account. [`sign_in`] stores the result as [`BackgroundSession::sealed`].
    pub seal: &'a (dyn Fn(&TicketSecret) -> Result<Vec<u8>> + Send + Sync),
}

/// The result of [`sign_in`]: the session that was begun.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignedIn {
    /// The ticket secret of the new session. The caller puts it into the session's [`Ticket`](crate::Ticket). No other copy of it exists,
    /// except the encrypted one in a background session.
    pub ticket_secret: TicketSecret,
    /// The number of the account's other sessions that ended because of [`max_sessions`](SignInPlan::max_sessions). Zero if the new session
    /// did not exceed that limit.
    pub displaced: usize,
}

/// Begins a session, in all parts of the store where a sign-out looks for it. Apps call [`TokenCache::sign_in`](crate::TokenCache::sign_in)
/// instead.
///
/// The steps are, in this order:
/// 1. Store the session's record in the account.
/// 2. Add the account to the [index of the `sid`](crate::SidIndex), if the sign-in has a `sid`.
/// 3. Check the issuer's not-before time.
/// 4. Store the background session, if the sign-in has background access.
///
/// A sign-out takes the opposite order: it sets the not-before time in the index first, and then ends sessions in the accounts. Either the
/// sign-out finds the session, or the sign-in finds the not-before time. The store refuses the steps 1 to 3 from
/// [`not_after`](SignInPlan::not_after) on, by its own clock. Before `not_after`, the store still has every not-before time that could
/// refuse the sign-in.
///
/// After a [retryable](Error::is_retryable) error, the first step is sent again, at most three times in all, each time with a new ticket
/// secret. If a later step fails, the session is ended again.
///
/// # Errors
/// - [`SignedOut`](ErrorKind::SignedOut) if a sign-out came after the sign-in had begun and before it arrived (G2), or if the store's clock
///   has reached [`not_after`](SignInPlan::not_after).
/// - [`SignInRevoked`](ErrorKind::SignInRevoked) instead, if the kind is [`SessionKind::Direct`] and step 2 was refused: the `sid` was
///   signed out.
/// - The errors of the store. The session may then remain in the store, but no ticket for it exists.
pub async fn sign_in(store: &dyn TokenStore, plan: &SignInPlan<'_>) -> Result<SignedIn> {
    let begun = begin(store, plan).await?;
    match admit(store, plan, &begun.ticket_secret).await {
        Ok(()) => Ok(begun),
        Err(refused) => {
            // The caller gets the refusal. A session that remains is harmless, because its secret is in no ticket.
            let _ = end_session(
                store,
                &plan.account,
                &begun.ticket_secret.session_id(),
                EvictOptions::at(plan.now),
            )
            .await;
            Err(refused)
        }
    }
}

/// A send whose answer was lost may still arrive, so the next send has its own ticket secret and removes the earlier sessions by
/// id.
async fn begin(store: &dyn TokenStore, plan: &SignInPlan<'_>) -> Result<SignedIn> {
    let mut supersedes = Vec::new();
    let mut may_have_begun = false;
    loop {
        let ticket_secret = (plan.mint)()?;
        let record = SessionRecord::new(
            ticket_secret.session_id(),
            plan.sid,
            plan.times,
            plan.ends_at,
        )
        .of_kind(plan.kind);
        let mut session = BeginSession::new(record, plan.not_after, plan.now);
        session.max_sessions = plan.max_sessions;
        session.supersedes.clone_from(&supersedes);
        match store.begin(&plan.account, session).await {
            Ok(begun) => {
                telemetry::displaced(begun.displaced);
                let displaced = begun.displaced;
                return Ok(SignedIn {
                    ticket_secret,
                    displaced,
                });
            }
            Err(error) if error.is_retryable() && supersedes.len() + 1 < SENDS => {
                may_have_begun |= error.may_have_applied();
                supersedes.push(ticket_secret.session_id());
            }
            // The last send may not have left this server, but an earlier one may have arrived.
            Err(error) if may_have_begun && error.is_retryable() => {
                return Err(error.maybe_applied());
            }
            Err(error) => return Err(error),
        }
    }
}

async fn admit(
    store: &dyn TokenStore,
    plan: &SignInPlan<'_>,
    ticket_secret: &TicketSecret,
) -> Result<()> {
    if let Some(sid) = &plan.sid {
        let sid_entry = SidEntry::new(
            plan.account,
            plan.times.requested_at,
            plan.ends_at,
            plan.not_after,
        );
        let entered = store.add(sid, sid_entry).await;
        entered.map_err(|error| match plan.kind {
            SessionKind::Direct => sid_ended(error),
            // The caller of a web API must get a new assertion. Sending this user to the provider would not help.
            SessionKind::OnBehalfOf => error,
        })?;
    }
    store
        .check_issuer(
            plan.account.issuer(),
            plan.times.requested_at,
            plan.not_after,
        )
        .await?;
    if let Some(BackgroundPlan { name, seal }) = &plan.background {
        let background_session =
            BackgroundSession::new(ticket_secret.session_id(), seal(ticket_secret)?);
        store
            .keep(
                &plan.account,
                name,
                background_session,
                ReadOptions::at(plan.now),
            )
            .await?;
    }
    Ok(())
}

/// Returns the error of a sign-in under a `sid` that the provider has ended. A new authentication does not help if the provider
/// issues the same `sid` again.
fn sid_ended(error: Error) -> Error {
    if !error.is_signed_out() {
        return error;
    }
    telemetry::warn(
        "sign_in_sid_ended",
        format_args!(
            "a sign-in was refused: its session at the provider (the `sid` of the ID token) was signed out; if this happens to the same \
             user again, the provider reuses the `sid` of an ended session, as Keycloak before 26 does: update it, or leave the `sid` \
             out of `SignIn`, so that logout messages end sessions by the `sub`"
        ),
    );
    Error::new(ErrorKind::SignInRevoked, "sign in")
        .message(
            "its session at the provider (the `sid` of the ID token) was signed out; start again with `prompt=login`; if that is refused \
             too, the provider reuses the `sid` of an ended session (Keycloak before 26 does): the user must close the browser or delete \
             the provider's cookies, and sign in again",
        )
        .with_source(error)
}

impl fmt::Debug for SignInPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInPlan")
            .field("times", &self.times)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BackgroundPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundPlan").finish_non_exhaustive()
    }
}

//! Core's protocol, and variants of it that take the steps in another order.

use token_cache_core::{
    BackgroundSession, BeginSession, EvictOptions, EvictTarget, NotBeforeOptions, ReadOptions,
    Result, SessionRecord, SidEntry, SignOut, TicketSecret, TokenStore,
    protocol::{self, SidSignOut, SignInPlan},
};

use super::{
    mutants::{Bent, Mutant},
    network::World,
    rules,
};

/// A step of a sign-in.
#[derive(Debug, Clone, Copy)]
enum Step {
    Begin,
    Point,
    CheckIssuer,
    StoreBackgroundSession,
}

/// Runs core's sign-in, or the steps of a sign-in in the mutant's order.
pub(super) async fn sign_in(
    store: &dyn TokenStore,
    plan: &SignInPlan<'_>,
    bent: Bent,
) -> Result<TicketSecret> {
    use Step::{Begin, CheckIssuer, Point, StoreBackgroundSession};
    let order = match bent.0 {
        Some(Mutant::BackgroundSessionBeforeSidEntry) => {
            [Begin, StoreBackgroundSession, Point, CheckIssuer]
        }
        Some(Mutant::IssuerReadBeforeWrite) => [CheckIssuer, Begin, Point, StoreBackgroundSession],
        _ => {
            let signed_in = protocol::sign_in(store, plan).await?;
            return Ok(signed_in.ticket_secret);
        }
    };
    let ticket_secret = (plan.mint)()?;
    for step in order {
        if let Err(refused) = take(store, plan, &ticket_secret, step).await {
            let options = EvictOptions::at(plan.now);
            let _ =
                protocol::end_session(store, &plan.account, &ticket_secret.session_id(), options)
                    .await;
            return Err(refused);
        }
    }
    Ok(ticket_secret)
}

async fn take(
    store: &dyn TokenStore,
    plan: &SignInPlan<'_>,
    ticket_secret: &TicketSecret,
    step: Step,
) -> Result<()> {
    match step {
        Step::Begin => {
            let (times, ends_at) = (plan.times, plan.ends_at);
            let record = SessionRecord::new(ticket_secret.session_id(), plan.sid, times, ends_at);
            let session = BeginSession::new(record, plan.not_after, plan.now);
            store.begin(&plan.account, session).await?;
        }
        Step::Point => {
            if let Some(sid) = &plan.sid {
                let (requested_at, ends_at) = (plan.times.requested_at, plan.ends_at);
                let sid_entry = SidEntry::new(plan.account, requested_at, ends_at, plan.not_after);
                store.add(sid, sid_entry).await?;
            }
        }
        Step::CheckIssuer => {
            let (issuer, requested_at) = (plan.account.issuer(), plan.times.requested_at);
            store
                .check_issuer(issuer, requested_at, plan.not_after)
                .await?;
        }
        Step::StoreBackgroundSession => {
            if let Some(plan_of) = &plan.background {
                let background_session = BackgroundSession::new(
                    ticket_secret.session_id(),
                    (plan_of.seal)(ticket_secret)?,
                );
                let options = ReadOptions::at(plan.now);
                store
                    .keep(&plan.account, &plan_of.name, background_session, options)
                    .await?;
            }
        }
    }
    Ok(())
}

/// A sign-out by `sid` that sets the not-before time of the index after it has evicted the accounts.
pub(super) async fn sign_out_sid_not_before_last(
    world: &World,
    store: &dyn TokenStore,
    sign_out: SidSignOut,
    options: EvictOptions,
) -> Result<SignOut> {
    let SidSignOut { sid, bound, .. } = sign_out;
    let not_before = NotBeforeOptions::lifetime(options.not_before_lifetime);
    let without_not_before = Bent(Some(Mutant::SidWithoutNotBefore));
    let found =
        rules::set_sid_not_before(world, without_not_before, sid, bound, not_before).await?;
    let mut report = SignOut::default();
    for account in &found.accounts {
        let target = EvictTarget::Sid { sid, bound };
        report.ended |= store.evict(account, target, options).await?.ended;
    }
    rules::set_sid_not_before(world, Bent::default(), sid, bound, not_before).await?;
    Ok(report)
}

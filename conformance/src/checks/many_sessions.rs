//! No undeclared limit: more than a thousand sessions of one account.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use token_cache_core::{
    BackgroundSession, CutoffBound, EvictTarget, ReadOptions, SessionId, SessionRecord,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, Amend, by_app, by_provider},
    assertions::{Assertions, should_equal},
    checks::many::{many, some},
    random::{self, Dice},
};

const MILLI: Duration = Duration::from_millis(1);

/// The time limit for beginning sessions, after which a store counts as slow.
const LONG: Duration = Duration::from_secs(10);

/// Begins so many sessions in an account; if a store is slow, as many as it begins in ten seconds, and over a hundred.
async fn crowd(
    ada: &AccountDriver<'_>,
    sessions: usize,
    record: impl Fn(SessionRecord) -> SessionRecord,
) -> Result<Vec<SessionId>, Violation> {
    let mut session_ids = Vec::new();
    let began = Instant::now();
    for number in 0..sessions {
        if number > 100 && began.elapsed() > LONG {
            break;
        }
        let mut begin = ada.begin_of(record(ada.record()?));
        begin.max_sessions = 5_000;
        session_ids.push(begin.record.session_id);
        ada.store
            .begin(&ada.key, begin)
            .await
            .should_work("a sign-in")?;
    }
    Ok(session_ids)
}

async fn are_all_gone(ada: &AccountDriver<'_>, session_ids: &[SessionId]) -> Result<(), Violation> {
    for session_id in some(session_ids, &mut Dice::new()?) {
        ada.is_gone(&session_id).await?;
    }
    Ok(())
}

async fn are_the_sessions(
    ada: &AccountDriver<'_>,
    expected: &[SessionId],
) -> Result<(), Violation> {
    let listed: BTreeSet<_> = ada.sessions().await?.into_iter().collect();
    let expected: BTreeSet<_> = expected.iter().copied().collect();
    should_equal(
        &(listed.len(), listed == expected),
        &(expected.len(), true),
        "the living sessions",
    )
}

/// A sign-out of a `sid` ends every session with that `sid`; before it, all are listed and each has its background session.
pub(crate) async fn a_sid_may_have_any_number_of_sessions(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let sid = random::sid()?;
    let spared = crowd(&ada, 3, |record| record.with_sid(sid_of_nobody())).await?;
    let with_sid = crowd(&ada, many(setup)?, |record| record.with_sid(sid)).await?;
    let together: Vec<_> = with_sid.iter().chain(&spared).copied().collect();
    are_the_sessions(&ada, &together).await?;
    let name = random::background_key()?;
    let options = ReadOptions::at(ada.now);
    let kept = &with_sid;
    for session_id in kept {
        let background_session =
            BackgroundSession::new(*session_id, session_id.as_bytes().to_vec());
        let keep = setup
            .store()
            .keep(&ada.key, &name, background_session, options)
            .await;
        keep.should_work("keeping a background session")?;
    }
    let found = setup.store().find(&ada.key, &name, options).await;
    let found = found.should_work("finding background sessions")?;
    let newest_first: Vec<_> = kept.iter().rev().copied().collect();
    should_equal(
        &found.len(),
        &kept.len(),
        "background sessions under one name",
    )?;
    let found: Vec<_> = found.iter().map(|found| found.session_id).collect();
    should_equal(
        &(found == newest_first),
        &true,
        "whether the background sessions come the one kept last first",
    )?;
    let bound = CutoffBound::Forever;
    ada.evicts_sessions(EvictTarget::Sid { sid, bound }).await?;
    are_the_sessions(&ada, &spared).await?;
    are_all_gone(&ada, &with_sid).await
}

fn sid_of_nobody() -> token_cache_core::SidKey {
    token_cache_core::SidKey::from_bytes([0x5a; 16])
}

/// A sign-out of an account ends all its sessions, and spares the newer ones.
pub(crate) async fn an_account_may_have_any_number_of_sessions(
    setup: &Setup,
) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let ada = setup.account()?;
    let old = crowd(&ada, many(setup)?, |record| record).await?;
    let newer = crowd(&ada, dice.below(3), |record| {
        record
            .requested_at(ada.now + MILLI)
            .authenticated_at(AUTHENTICATED + MILLI)
    })
    .await?;
    let target = if dice.below(2) == 0 {
        by_app(ada.now)
    } else {
        by_provider(AUTHENTICATED)
    };
    ada.evicts_sessions(target).await?;
    are_the_sessions(&ada, &newer).await?;
    are_all_gone(&ada, &old).await
}

/// A message with subject and `sid` ends all sessions without a `sid`.
pub(crate) async fn any_number_of_sessions_without_sid_end(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let with_sid = crowd(&ada, 2, |record| record.with_sid(sid_of_nobody())).await?;
    let without_sid = crowd(&ada, many(setup)?, |record| record).await?;
    let target = EvictTarget::SidOrWithoutSid {
        sid: random::sid()?,
        without_sid_until: AUTHENTICATED,
    };
    ada.evicts_sessions(target).await?;
    are_the_sessions(&ada, &with_sid).await?;
    are_all_gone(&ada, &without_sid).await
}

/// A sign-in supersedes as many sessions as it names, and displaces as many as are too many.
pub(crate) async fn a_sign_in_ends_any_number_of_sessions(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let half = many(setup)?;
    let superseded = crowd(&ada, half, |record| record).await?;
    let displaced = crowd(&ada, 40, |record| record).await?;
    let mut retry = ada.begin_of(ada.record()?.requested_at(ada.now));
    let first = retry.record.session_id;
    retry.supersedes.clone_from(&superseded);
    retry.max_sessions = 5_000;
    let begun = ada.store.begin(&ada.key, retry).await;
    begun.should_work("a sign-in that supersedes others")?;
    let left: Vec<_> = displaced.iter().chain([&first]).copied().collect();
    are_the_sessions(&ada, &left).await?;
    let mut last = ada.begin_of(ada.record()?.requested_at(ada.now + MILLI));
    let session_id = last.record.session_id;
    last.max_sessions = 2;
    let begun = ada.store.begin(&ada.key, last).await;
    let begun = begun.should_work("a sign-in that displaces others")?;
    should_equal(&begun.displaced, &displaced.len(), "displaced sessions")?;
    are_the_sessions(&ada, &[first, session_id]).await
}

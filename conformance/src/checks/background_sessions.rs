//! Sealed ticket secrets, for those who hold no ticket.

use std::time::Duration;

use token_cache_core::{
    BackgroundKey, BackgroundSession, CutoffBound, CutoffTime, Error, EvictTarget, ReadOptions,
    SessionId,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, Amend, by_app, by_provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, account},
    random,
};

async fn keep(
    setup: &Setup,
    ada: &AccountDriver<'_>,
    name: &BackgroundKey,
    session_id: SessionId,
    sealed: &[u8],
) -> Result<Result<(), Error>, Violation> {
    let background_session = BackgroundSession::new(session_id, sealed.to_vec());
    Ok(setup
        .store()
        .keep(&ada.key, name, background_session, ReadOptions::at(ada.now))
        .await)
}

async fn keeps(
    setup: &Setup,
    ada: &AccountDriver<'_>,
    name: &BackgroundKey,
    session_id: SessionId,
    sealed: &[u8],
) -> Result<(), Violation> {
    keep(setup, ada, name, session_id, sealed)
        .await?
        .should_work("keeping a background session")
}

/// The background sessions under a name are those of these sessions, in this order.
async fn finds(
    setup: &Setup,
    ada: &AccountDriver<'_>,
    name: &BackgroundKey,
    expected: &[(SessionId, &[u8])],
) -> Result<(), Violation> {
    let found = setup
        .store()
        .find(&ada.key, name, ReadOptions::at(ada.now))
        .await;
    let found = found.should_work("finding a background session")?;
    let expected: Vec<_> = expected
        .iter()
        .map(|(session_id, sealed)| BackgroundSession::new(*session_id, sealed.to_vec()))
        .collect();
    should_hold(
        found == expected,
        &format!(
            "{} background sessions, the one kept last first",
            expected.len()
        ),
        &format!(
            "{} background sessions, or others, or in another order",
            found.len()
        ),
    )
}

/// Background sessions are found under their account and name, the one kept last first, each with its bytes.
pub(crate) async fn background_sessions_are_found_newest_first(
    setup: &Setup,
) -> Result<(), Violation> {
    let (name, other) = (random::background_key()?, random::background_key()?);
    let ada = setup.account()?;
    finds(setup, &ada, &name, &[]).await?;
    let (one, two, three) = (
        ada.signs_in().await?,
        ada.signs_in().await?,
        ada.signs_in().await?,
    );
    keeps(setup, &ada, &name, two, b"two").await?;
    keeps(setup, &ada, &name, one, b"one \r\n\0\xff").await?;
    keeps(setup, &ada, &name, three, b"three").await?;
    keeps(setup, &ada, &other, three, b"other").await?;
    let one_bytes: &[u8] = b"one \r\n\0\xff";
    finds(
        setup,
        &ada,
        &name,
        &[(three, b"three"), (one, one_bytes), (two, b"two")],
    )
    .await?;
    finds(setup, &ada, &other, &[(three, b"other")]).await?;

    // Kept again, as by a retry, it is there once.
    keeps(setup, &ada, &name, one, b"again").await?;
    finds(
        setup,
        &ada,
        &name,
        &[(one, b"again"), (three, b"three"), (two, b"two")],
    )
    .await
}

/// A background session is its account's own.
pub(crate) async fn a_background_session_is_found_by_no_other_account(
    setup: &Setup,
) -> Result<(), Violation> {
    let name = random::background_key()?;
    let (ada, bob) = (setup.account()?, setup.account()?);
    let (of_ada, of_bob) = (ada.signs_in().await?, bob.signs_in().await?);
    keeps(setup, &ada, &name, of_ada, b"ada's").await?;
    finds(setup, &bob, &name, &[]).await?;
    keeps(setup, &bob, &name, of_bob, b"bob's").await?;
    finds(setup, &ada, &name, &[(of_ada, b"ada's")]).await?;
    let foreign = keep(setup, &bob, &name, of_ada, b"ada's").await?;
    foreign.should_be_signed_out("keeping a background session of another account's session")?;
    bob.evicts_sessions(by_app(bob.now)).await?;
    finds(setup, &bob, &name, &[]).await?;
    finds(setup, &ada, &name, &[(of_ada, b"ada's")]).await
}

/// Whatever ends a session ends its background session.
pub(crate) async fn a_background_session_ends_with_its_session(
    setup: &Setup,
) -> Result<(), Violation> {
    let name = random::background_key()?;
    let sid = random::sid()?;
    for target in [
        by_app(setup.now()),
        by_provider(AUTHENTICATED),
        EvictTarget::Sid {
            sid,
            bound: CutoffBound::Forever,
        },
        EvictTarget::Sid {
            sid,
            bound: CutoffBound::Time(CutoffTime::on_store_clock(setup.now())),
        },
        EvictTarget::SidOrWithoutSid {
            sid,
            without_sid_until: AUTHENTICATED,
        },
    ] {
        let ada = setup.account()?;
        let session_id = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
        keeps(setup, &ada, &name, session_id, b"sealed").await?;
        ada.evicts_sessions(target).await?;
        finds(setup, &ada, &name, &[]).await?;
    }
    let ada = setup.account()?;
    let (stays, goes) = (ada.signs_in().await?, ada.signs_in().await?);
    keeps(setup, &ada, &name, stays, b"stays").await?;
    keeps(setup, &ada, &name, goes, b"goes").await?;
    ada.evicts_sessions(EvictTarget::Session(goes)).await?;
    finds(setup, &ada, &name, &[(stays, b"stays")]).await?;

    let mut retry = ada.begin_of(ada.record()?);
    let session_id = retry.record.session_id;
    retry.supersedes = vec![stays];
    ada.store
        .begin(&ada.key, retry)
        .await
        .should_work("a sign-in sent again")?;
    keeps(setup, &ada, &name, session_id, b"retried").await?;
    finds(setup, &ada, &name, &[(session_id, b"retried")]).await
}

/// A background session of a session that is over is not found, from the session's end on.
pub(crate) async fn a_background_session_of_a_session_that_is_over_is_not_found(
    setup: &Setup,
) -> Result<(), Violation> {
    let name = random::background_key()?;
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    let session_id = ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
    keeps(setup, &ada, &name, session_id, b"sealed").await?;
    let before = ada.at_moment(ends_at - Duration::from_millis(1));
    finds(setup, &before, &name, &[(session_id, b"sealed")]).await?;
    let after = ada.at_moment(ends_at);
    finds(setup, &after, &name, &[]).await?;
    let late = keep(setup, &after, &name, session_id, b"late").await?;
    late.should_be_signed_out("keeping a background session of a session that is over")
}

/// A background session that arrives after the sign-out is refused, and no search finds it.
pub(crate) async fn a_background_session_after_a_sign_out_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let name = random::background_key()?;
    let ada = setup.account()?;
    let (ended, lives) = (ada.signs_in().await?, ada.signs_in().await?);
    ada.evicts_sessions(EvictTarget::Session(ended)).await?;
    for session_id in [ended, random::session_id()?] {
        let late = keep(setup, &ada, &name, session_id, b"late").await?;
        late.should_be_signed_out("keeping a background session after the sign-out")?;
    }
    finds(setup, &ada, &name, &[]).await?;
    keeps(setup, &ada, &name, lives, b"sealed").await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    let late = keep(setup, &ada, &name, lives, b"late").await?;
    late.should_be_signed_out("keeping a background session after the account's sign-out")?;
    finds(setup, &ada, &name, &[]).await
}

/// The account alone opens the newest session with a background session, and no session after the sign-out.
pub(crate) async fn an_account_opens_its_background_session(
    setup: &Setup,
) -> Result<(), Violation> {
    let (app, job) = (App::new(setup).await?, App::new(setup).await?);
    let ada = account("ada")?;
    let open = async |subject: &str| {
        job.cache
            .background_session(&account(subject)?)
            .await
            .should_work("opening a background session")
    };
    should_hold(
        open("ada").await?.is_none(),
        "no session before a sign-in",
        "one",
    )?;
    let plain = app.signs_in("ada").await?;
    should_hold(
        open("ada").await?.is_none(),
        "no session without a background session",
        "one",
    )?;
    let background_session = app
        .begins(app.sign_in_of("ada")?.background_access())
        .await?;
    app.puts(&background_session, "background").await?;
    app.puts(&plain, "plain").await?;
    let opened = open("ada")
        .await?
        .ok_or_else(|| Violation::new("a session", "none"))?;
    job.holds(&opened, "background").await?;
    job.puts(&opened, "by the job").await?;
    app.holds(&background_session, "by the job").await?;
    should_hold(
        open("bob").await?.is_none(),
        "no session of another account",
        "one",
    )?;

    let newer = app
        .begins(app.sign_in_of("ada")?.background_access())
        .await?;
    app.puts(&newer, "newer").await?;
    let newest = open("ada")
        .await?
        .ok_or_else(|| Violation::new("a session", "none"))?;
    job.holds(&newest, "newer").await?;
    let out = newer.sign_out().await.should_work("a sign-out")?;
    should_equal(&out.ended, &true, "a session ended")?;
    job.is_over(&newest).await?;
    let older = open("ada")
        .await?
        .ok_or_else(|| Violation::new("the older session", "none"))?;
    job.holds(&older, "by the job").await?;
    let out = app
        .cache
        .sign_out_account(&ada)
        .await
        .should_work("a sign-out")?;
    should_equal(&out.ended, &true, "a session ended")?;
    job.is_over(&older).await?;
    should_hold(
        open("ada").await?.is_none(),
        "no session after the sign-out",
        "one",
    )
}

//! Calls for a session that has ended.

use token_cache_core::{CutoffTime, Entry, EvictTarget, PutMode, Timestamp, Version};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, Amend, LIFETIME, by_app, by_provider},
    assertions::{Assertions, should_equal},
    checks::app::{App, account},
    random,
};

/// A write that began before a sign-out and lands after it stores nothing, whatever it says to write over.
pub(crate) async fn a_write_after_a_sign_out_is_refused(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    let sent = ada.puts(&at, b"sent to the provider").await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    let own = Version::mint().should_work("minting a version")?;
    for mode in [
        PutMode::Overwrite,
        PutMode::Create,
        PutMode::Update(sent),
        PutMode::Update(own),
    ] {
        let late = Entry::new(*b"refreshed", own, ada.now + LIFETIME);
        let written = ada.write_entry(&at, late, mode).await;
        written.should_be_signed_out("a write that a sign-out overtook")?;
    }
    ada.read(&at)
        .await
        .should_be_signed_out("a read after the refused writes")?;
    ada.is_gone(&session_id).await?;
    should_equal(
        &ada.sessions().await?,
        &Vec::new(),
        "the account's sessions",
    )
}

/// A write of an ended session stays refused when the user has signed in anew, and reaches nothing of the new session.
pub(crate) async fn a_write_after_a_new_sign_in_is_refused(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let old = ada.signs_in().await?;
    let at = ada.entry(&old)?;
    ada.puts(&at, b"old").await?;
    ada.evicts_sessions(by_app(ada.requested())).await?;
    let new = ada.signs_in_as(ada.record()?.requested_at(ada.now)).await?;
    let in_new = ada.entry_named(&new, *at.name());
    ada.write(&at, b"late")
        .await
        .should_be_signed_out("a write of the ended session")?;
    ada.is_gone(&old).await?;
    ada.misses(&in_new).await?;
    ada.puts(&in_new, b"new").await?;
    ada.write(&at, b"late")
        .await
        .should_be_signed_out("a write of the ended session")?;
    ada.holds(&in_new, b"new").await
}

/// A session begins empty, whatever those before it held.
pub(crate) async fn a_new_session_begins_empty(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let old = app.signs_in("ada").await?;
    app.puts(&old, "old").await?;
    let beside = app.signs_in("ada").await?;
    let got = beside
        .get(&app.api)
        .await
        .should_work("a get from a new session")?;
    should_equal(
        &got.is_none(),
        &true,
        "a new session beside an old one is empty",
    )?;
    let ended = old.sign_out().await.should_work("a sign-out")?;
    should_equal(&ended.ended, &true, "the old session ended")?;
    let after = app.signs_in("ada").await?;
    let got = after
        .get(&app.api)
        .await
        .should_work("a get from a new session")?;
    should_equal(
        &got.is_none(),
        &true,
        "a new session after a sign-out is empty",
    )
}

/// The ticket of an older session opens nothing of a newer one.
pub(crate) async fn a_ticket_of_an_older_session_stays_signed_out(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let old = app.signs_in("ada").await?;
    let ticket = old.ticket().should_work("taking the ticket")?;
    let out = app
        .cache
        .sign_out_account(&account("ada")?)
        .await
        .should_work("a sign-out")?;
    should_equal(&out.ended, &true, "a session ended")?;
    let new = app.is_welcome(setup, sign_in).await?;
    app.puts(&new, "new").await?;
    app.is_over(&old).await?;
    let unverified = app
        .cache
        .resume_unverified(&ticket)
        .should_work("opening the old ticket")?;
    app.is_over(&unverified).await?;
    app.holds(&new, "new").await
}

fn sign_in(
    started: &token_cache_core::StartedSignIn,
) -> Result<token_cache_core::SignIn, Violation> {
    Ok(token_cache_core::SignIn::new(account("ada")?, started).auth_time(AUTHENTICATED))
}

/// A session that was never begun is signed out, on an account without sessions and on one with some.
pub(crate) async fn a_session_that_never_began_is_signed_out(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.is_gone(&random::session_id()?).await?;
    should_equal(
        &ada.sessions().await?,
        &Vec::new(),
        "the sessions of an unknown account",
    )?;
    ada.signs_in().await?;
    ada.is_gone(&random::session_id()?).await
}

/// Each kind of sign-out refuses the late write.
pub(crate) async fn every_sign_out_refuses_late_writes(setup: &Setup) -> Result<(), Violation> {
    let sid = random::sid()?;
    for target in [
        by_app(setup.now()),
        by_provider(AUTHENTICATED),
        EvictTarget::Sid {
            sid,
            bound: token_cache_core::CutoffBound::Forever,
        },
        EvictTarget::Sid {
            sid,
            bound: token_cache_core::CutoffBound::Time(CutoffTime::on_store_clock(setup.now())),
        },
        EvictTarget::SidOrWithoutSid {
            sid,
            without_sid_until: Timestamp::from_millis(0),
        },
    ] {
        let ada = setup.account()?;
        let session_id = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
        let at = ada.entry(&session_id)?;
        ada.puts(&at, b"before").await?;
        ada.evicts_sessions(target).await?;
        ada.write(&at, b"late")
            .await
            .should_be_signed_out("a write that a sign-out overtook")?;
        ada.is_gone(&session_id).await?;
    }
    Ok(())
}

//! Checks of a store that lacks an optional part: it returns `Unsupported` for that part, and does the rest.

use token_cache_core::{
    AccountListOptions, ErrorKind, EvictOptions, LockOwner, PutResult, ServerId, SignOutScope,
    Version, WriteOptions,
};

use crate::{
    Needs, Setup, Violation,
    account_driver::{LIFETIME, by_app, provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, ISSUER, account, message, provider_session, under},
};

pub(crate) async fn run(needs: Needs, setup: &Setup) -> Result<(), Violation> {
    match needs {
        Needs::Nothing => Ok(()),
        Needs::SidIndex => without_a_sid_index(setup).await,
        Needs::RefreshLocks => without_locks(setup).await,
        Needs::BackgroundSessions => without_background_access(setup).await,
        Needs::Backplane => without_a_backplane(setup).await,
    }
}

async fn without_a_sid_index(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let session = app.begins(under(app.sign_in_of("ada")?, "a sid")?).await?;
    let unsupported = ErrorKind::Unsupported;
    let scope = SignOutScope::ProviderSession(provider_session("a sid")?);
    let out = app.cache.sign_out(scope).await;
    out.should_fail_with(unsupported, "a sign-out by `sid`, without a sid index")?;
    let by_sid = message(None, Some("a sid"), provider(1_500))?;
    let told = app.cache.sign_out_by(&by_sid).await;
    told.should_fail_with(
        unsupported,
        "a message with a `sid` alone, without a sid index",
    )?;
    let run = app.cache.sign_out_issuer(ISSUER);
    run.should_fail_with(unsupported, "a sign-out of an issuer, without a sid index")?;
    let run = app.cache.sign_out_accounts(&[account("ada")?]);
    run.should_fail_with(
        unsupported,
        "a sign-out of many accounts, without a sid index",
    )?;
    let page = app.cache.accounts(&AccountListOptions::default()).await;
    page.should_fail_with(unsupported, "a list of accounts, without a sid index")?;
    app.lives(&session).await?;

    let newer = app.sign_in_of("ada")?.auth_time(provider(1_501));
    let newer = app.begins(under(newer, "a sid")?).await?;
    let ended = app
        .is_told(message(Some("ada"), Some("a sid"), provider(1_500))?)
        .await?;
    should_hold(
        ended,
        "a message with subject and `sid` that ends the account's",
        "nothing",
    )?;
    app.is_over(&session).await?;
    app.lives(&newer).await
}

async fn without_background_access(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let begun = app
        .cache
        .sign_in(app.sign_in_of("ada")?.background_access())
        .await;
    begun.should_fail_with(
        ErrorKind::Unsupported,
        "a sign-in with a background session, without one",
    )?;
    let ada = account("ada")?;
    let left = app
        .cache
        .sessions(&ada)
        .await
        .should_work("listing the sessions")?;
    should_equal(&left.len(), &0, "sessions left by the sign-in")?;
    let opened = app.cache.background_session(&ada).await;
    opened.should_fail_with(
        ErrorKind::Unsupported,
        "opening a background session, without one",
    )?;
    Ok(())
}

/// Nothing above the store takes locks yet; a write that names one is a write.
async fn without_locks(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let owner = LockOwner::mint().should_work("minting an owner")?;
    let version = Version::mint().should_work("minting a version")?;
    let entry = token_cache_core::Entry::new(*b"token", version, ada.now + LIFETIME);
    let options = WriteOptions::at(ada.now).releasing(owner);
    let written = ada
        .store
        .write(&at, entry, options)
        .await
        .should_work("a write")?;
    should_equal(
        &written,
        &PutResult::Stored,
        "a write that names a lock, without locks",
    )?;
    ada.holds(&at, b"token").await?;
    let there = setup.another_server().await?;
    should_hold(
        there.refresh_locks().is_none(),
        "no locks on any server",
        "one that has them",
    )
}

/// A sign-out that is to be published works, and no server receives a message.
async fn without_a_backplane(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let server = ServerId::mint().should_work("minting a server's id")?;
    let options = EvictOptions::at(ada.now).published_by(server);
    let evicted = ada.store.evict(&ada.key, by_app(ada.now), options).await;
    let evicted = evicted.should_work("a sign-out to be published, without a backplane")?;
    should_hold(evicted.ended, "a sign-out that ends the session", "nothing")?;
    should_hold(
        evicted.published.is_none(),
        "no invalidation message, without a backplane",
        "one",
    )?;
    ada.session(&session_id)
        .await
        .should_be_signed_out("a look at the session")
}

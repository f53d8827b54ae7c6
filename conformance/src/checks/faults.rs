//! A store that can't be reached.

use token_cache_core::{
    AccountListOptions, AcquireOptions, BackgroundSession, CutoffBound, ErrorKind, EvictOptions,
    EvictTarget, LockOwner, ReadOptions, Result as StoreResult, Version,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, LIFETIME, by_app},
    assertions::{Assertions, should_hold},
    checks::app::{App, account},
    random,
};

/// An unreachable store is an error that may be tried again: neither a miss nor a sign-out.
fn is_unreachable<T>(answer: StoreResult<T>, what: &str) -> Result<(), Violation> {
    let expected =
        format!("{what} fails with `Unavailable` or `TimedOut`, for an unreachable store");
    match answer {
        Err(error)
            if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::TimedOut)
                && error.is_retryable() =>
        {
            Ok(())
        }
        Err(error) => Err(Violation::new(
            expected,
            format!("{:?}: {error}", error.kind()),
        )),
        Ok(_) => Err(Violation::new(expected, "Ok")),
    }
}

/// While the store is unreachable, no read of it is a miss.
pub(crate) async fn a_read_of_an_unreachable_store_is_no_miss(
    setup: &Setup,
) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada = setup.account()?.through(&*breakable.store);
    let session_id = ada.signs_in().await?;
    let (there, absent) = (ada.entry(&session_id)?, ada.entry(&session_id)?);
    ada.puts(&there, b"token").await?;
    breakable.switch.cut().await;
    let options = ReadOptions::at(ada.now);
    is_unreachable(ada.read(&there).await, "a read of an entry")?;
    is_unreachable(
        ada.read(&absent).await,
        "a read of an entry that does not exist",
    )?;
    is_unreachable(ada.session(&session_id).await, "a look at a session")?;
    is_unreachable(
        ada.session(&random::session_id()?).await,
        "a look at a session that never was",
    )?;
    is_unreachable(
        ada.store.sessions(&ada.key, options).await,
        "listing the sessions",
    )?;
    is_unreachable(ada.store.namespace().await, "reading the namespace")
}

/// While the store is unreachable, nothing is said to be written or removed.
pub(crate) async fn a_write_to_an_unreachable_store_is_an_error(
    setup: &Setup,
) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada = setup.account()?.through(&*breakable.store);
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    breakable.switch.cut().await;
    is_unreachable(ada.write(&at, b"token").await, "a write")?;
    is_unreachable(ada.store.remove(&at).await, "a removal")?;
    is_unreachable(ada.begin(ada.record()?).await, "a sign-in")
}

/// While the store is unreachable, no sign-out is said to have happened; when it is back, the sign-out sent again ends all.
pub(crate) async fn a_failed_sign_out_is_an_error(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let cut_off = App::over(setup.cache_over(breakable.store.clone()).await?)?;
    let app = App::new(setup).await?;
    let session = cut_off.signs_in("ada").await?;
    app.puts(&session, "token").await?;
    breakable.switch.cut().await;
    let ada = account("ada")?;
    is_unreachable(
        cut_off.cache.sign_out_account(&ada).await,
        "a sign-out of an account",
    )?;
    is_unreachable(session.sign_out().await, "a sign-out of a session")?;
    let direct = setup.account()?.through(&*breakable.store);
    for target in [
        by_app(direct.now),
        EvictTarget::Session(random::session_id()?),
    ] {
        is_unreachable(direct.evict(target).await, "an eviction")?;
    }
    let elsewhere = app.resumes(&session).await?;
    app.holds(&elsewhere, "token").await?;

    breakable.switch.mend().await;
    setup
        .until_it_holds(async || match cut_off.cache.sign_out_account(&ada).await {
            Err(error) if error.is_retryable() => Ok(false),
            report => report
                .should_work("a sign-out when the store is back")
                .map(|_| true),
        })
        .await?;
    app.is_over(&elsewhere).await
}

/// A write that was acknowledged before the store became unreachable can be read when it is reachable again.
pub(crate) async fn what_was_acknowledged_is_there_afterwards(
    setup: &Setup,
) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada = setup.account()?.through(&*breakable.store);
    let at = ada.entry(&ada.signs_in().await?)?;
    ada.puts(&at, b"token").await?;
    breakable.switch.cut().await;
    is_unreachable(ada.read(&at).await, "a read")?;
    breakable.switch.mend().await;
    setup
        .until_it_holds(async || match ada.read(&at).await {
            Err(error) if error.is_retryable() => Ok(false),
            read => read
                .should_work("a read when the store is back")
                .map(|_| true),
        })
        .await?;
    ada.holds(&at, b"token").await
}

/// A sign-in at an unreachable store is an error, and no sign-out: the user is not sent away for it.
pub(crate) async fn a_failed_sign_in_is_no_sign_out(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let app = App::over(setup.cache_over(breakable.store.clone()).await?)?;
    let session = app.signs_in("ada").await?;
    let ticket = session.ticket().should_work("taking the ticket")?;
    let sign_in = app.sign_in_of("ada")?;
    breakable.switch.cut().await;
    is_unreachable(app.cache.sign_in(sign_in).await, "a sign-in")?;
    is_unreachable(app.cache.resume(&ticket).await, "resuming a session")?;
    is_unreachable(session.get(&app.api).await, "a get")?;
    is_unreachable(session.put(&app.api, b"token".as_slice()).await, "a put")?;
    is_unreachable(session.remove(&app.api).await, "a removal")
}

/// A `sid` index that is unreachable names no accounts by saying nothing.
pub(crate) async fn an_unreachable_sid_index_is_an_error(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada = setup.account()?;
    let sid_index = &*breakable.store;
    let sid = random::sid()?;
    let sid_entry = crate::checks::sid_index::sid_entry(&ada);
    sid_index
        .add(&sid, sid_entry)
        .await
        .should_work("entering a `sid`")?;
    breakable.switch.cut().await;
    let options = token_cache_core::NotBeforeOptions::default();
    let not_after = ada.now + LIFETIME;
    let issuer = ada.key.issuer();
    is_unreachable(sid_index.add(&sid, sid_entry).await, "entering a `sid`")?;
    let added = sid_index
        .set_sid_not_before(&sid, CutoffBound::Forever, options)
        .await;
    is_unreachable(added, "setting the not-before time of a `sid`")?;
    is_unreachable(
        sid_index.check_issuer(issuer, ada.now, not_after).await,
        "a look at an issuer",
    )?;
    is_unreachable(
        sid_index
            .set_issuer_not_before(issuer, ada.now, options)
            .await,
        "setting the not-before time of an issuer",
    )?;
    is_unreachable(
        sid_index.accounts(&AccountListOptions::default()).await,
        "listing accounts",
    )?;
    let evicted = sid_index
        .evict_accounts(
            &[ada.key, random::account()?],
            ada.now,
            token_cache_core::NotBeforeScope::Account,
            token_cache_core::EvictOptions::at(ada.now),
        )
        .await;
    should_hold(
        evicted.len() == 2,
        "an answer for each account",
        "fewer or more",
    )?;
    for one in evicted {
        is_unreachable(one, "an eviction of many accounts")?;
    }
    Ok(())
}

/// A lock is not had from a store that is unreachable.
pub(crate) async fn an_unreachable_lock_is_an_error(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada = setup.account()?.through(&*breakable.store);
    let at = ada.entry(&ada.signs_in().await?)?;
    let locks = &*breakable.store;
    let owner = LockOwner::mint().should_work("minting an owner")?;
    breakable.switch.cut().await;
    let options = AcquireOptions::new(owner, LIFETIME, ada.now);
    is_unreachable(locks.acquire(&at, options).await, "taking a lock")?;
    let version = Version::from_bytes([1; 8]);
    let ended = locks.end_if_version(&at, version, EvictOptions::at(ada.now));
    is_unreachable(ended.await, "ending a session")?;
    is_unreachable(locks.release(&at, &owner).await, "releasing a lock")
}

/// No background session is said to be absent, or kept, by a store that is unreachable.
pub(crate) async fn an_unreachable_background_session_is_an_error(
    setup: &Setup,
) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let ada: AccountDriver<'_> = setup.account()?.through(&*breakable.store);
    let session_id = ada.signs_in().await?;
    let background_sessions = &*breakable.store;
    let name = random::background_key()?;
    let options = ReadOptions::at(ada.now);
    breakable.switch.cut().await;
    let background_session = BackgroundSession::new(session_id, vec![1, 2, 3]);
    is_unreachable(
        background_sessions
            .keep(&ada.key, &name, background_session, options)
            .await,
        "keeping a background session",
    )?;
    is_unreachable(
        background_sessions.find(&ada.key, &name, options).await,
        "finding a background session",
    )
}

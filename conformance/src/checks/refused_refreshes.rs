//! The end of a session after a provider has refused its refresh token.

use std::time::Duration;

use futures_util::future::{join, join_all};
use token_cache_core::{Entry, EntryAddress, Error, EvictOptions, PutMode, PutResult, Version};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, by_app},
    assertions::{Assertions, should_equal},
};

async fn refused(
    setup: &Setup,
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    version: Version,
) -> Result<Result<bool, Error>, Violation> {
    let options = EvictOptions::at(ada.now);
    let locks = setup.store();
    Ok(locks.end_if_version(at, version, options).await)
}

async fn ends_nothing(
    setup: &Setup,
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    version: Version,
) -> Result<(), Violation> {
    let ended = refused(setup, ada, at, version).await?;
    let ended = ended.should_work("ending a session of another version")?;
    should_equal(&ended, &false, "whether the session ended")?;
    ada.lives(at.session_id()).await
}

/// A session ends with the refresh token that the provider refused, at once and with all its entries; the account's other
/// sessions live.
pub(crate) async fn a_refused_refresh_ends_its_session_alone(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let (ended, other) = (ada.signs_in().await?, ada.signs_in().await?);
    let (at, beside) = (ada.entry(&ended)?, ada.entry(&ended)?);
    let elsewhere = ada.entry(&other)?;
    let version = ada.puts(&at, b"refused").await?;
    ada.puts(&beside, b"beside").await?;
    ada.puts(&elsewhere, b"elsewhere").await?;
    let answer = refused(setup, &ada, &at, version).await?;
    let answer = answer.should_work("ending a session")?;
    should_equal(&answer, &true, "whether the session ended")?;
    ada.is_gone(&ended).await?;
    for at in [&at, &beside] {
        let read = ada.read(at).await;
        read.should_be_signed_out("reading an entry of a session that has ended")?;
    }
    ada.lives(&other).await?;
    ada.holds(&elsewhere, b"elsewhere").await
}

/// A refusal of a refresh token that was replaced meanwhile ends nothing.
pub(crate) async fn a_refusal_of_another_version_ends_nothing(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let refused = ada.puts(&at, b"refused").await?;
    ada.puts(&at, b"put meanwhile").await?;
    ends_nothing(setup, &ada, &at, refused).await?;
    ada.holds(&at, b"put meanwhile").await
}

/// A refusal of an entry that no longer exists, or has expired, ends nothing.
pub(crate) async fn a_refusal_without_an_entry_ends_nothing(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let removed = ada.puts(&at, b"removed").await?;
    let removal = ada.store.remove(&at).await;
    removal.should_work("removing an entry")?;
    ends_nothing(setup, &ada, &at, removed).await?;

    let version = Version::mint().should_work("minting a version")?;
    let ends_at = ada.now + Duration::from_secs(60);
    let entry = Entry::new(*b"expires", version, ends_at);
    let written = ada.write_entry(&at, entry, PutMode::Overwrite).await;
    let _ = written.should_work("writing an entry")?;
    ends_nothing(setup, &ada.at_moment(ends_at), &at, version).await
}

/// A session that has ended already is told to have.
pub(crate) async fn a_refusal_after_the_sign_out_reports_that(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let version = ada.puts(&at, b"refused").await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    let answer = refused(setup, &ada, &at, version).await?;
    answer.should_be_signed_out("ending a session that has ended")
}

/// Of an explicit write and the end of the session, one comes second: a stored write is never lost to it.
pub(crate) async fn a_write_that_races_with_a_refusal_is_not_lost(
    setup: &Setup,
) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let here = setup.account()?;
    let there = here.through(&*there);
    let rounds = (0..24).map(|round| async move {
        let at = here.entry(&here.signs_in().await?)?;
        let version = here.puts(&at, b"refused").await?;
        let (write, end) = (
            there.write(&at, b"put meanwhile"),
            refused(setup, &here, &at, version),
        );
        let (written, ended) = if round % 2 == 0 {
            join(write, end).await
        } else {
            let (ended, written) = join(end, write).await;
            (written, ended)
        };
        let ended = ended?.should_work("ending the session")?;
        match written {
            Ok(PutResult::Stored) if !ended => here.holds(&at, b"put meanwhile").await,
            Err(error) if ended && error.is_signed_out() => here.is_gone(at.session_id()).await,
            other => Err(Violation::new(
                "a stored write and a session that lives, or a refused write and one that ended",
                format!("the write: {other:?}; ended: {ended}"),
            )),
        }
    });
    join_all(rounds).await.into_iter().collect()
}

//! What a provider's refusal of a refresh token ends.

use std::time::Duration;

use token_cache_core::{Entry, EntryAddress, Error, EvictOptions, Over, Version};

use crate::{
    Setup, Violation,
    actor::{Actor, by_app},
    should::{Should, should_equal},
};

async fn refused(
    setup: &Setup,
    ada: &Actor<'_>,
    at: &EntryAddress,
    version: Version,
) -> Result<Result<bool, Error>, Violation> {
    let options = EvictOptions::at(ada.now);
    let locks = setup.refresh_locks()?;
    Ok(locks.end_if_version(at, version, options).await)
}

async fn ends_nothing(
    setup: &Setup,
    ada: &Actor<'_>,
    at: &EntryAddress,
    version: Version,
) -> Result<(), Violation> {
    let ended = refused(setup, ada, at, version).await?;
    let ended = ended.should_work("ending a session of another version")?;
    should_equal(&ended, &false, "whether the session ended")?;
    ada.lives(at.epoch()).await
}

/// A session ends with the refresh token that the provider refused, at once and with all its entries; the account's other
/// sessions live.
pub async fn a_refused_refresh_ends_its_session_alone(setup: &Setup) -> Result<(), Violation> {
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
pub async fn a_refusal_of_another_version_ends_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let refused = ada.puts(&at, b"refused").await?;
    ada.puts(&at, b"put meanwhile").await?;
    ends_nothing(setup, &ada, &at, refused).await?;
    ada.holds(&at, b"put meanwhile").await
}

/// A refusal of what is not there any more, or has expired, ends nothing.
pub async fn a_refusal_without_an_entry_ends_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let removed = ada.puts(&at, b"removed").await?;
    let removal = ada.store.remove(&at).await;
    removal.should_work("removing an entry")?;
    ends_nothing(setup, &ada, &at, removed).await?;

    let version = Version::mint().should_work("minting a version")?;
    let ends_at = ada.now + Duration::from_secs(60);
    let entry = Entry::new(*b"expires", version, ends_at);
    let written = ada.write_entry(&at, entry, Over::Anything).await;
    let _ = written.should_work("writing an entry")?;
    ends_nothing(setup, &ada.at_moment(ends_at), &at, version).await
}

/// A session that has ended already is told to have.
pub async fn a_refusal_after_the_sign_out_is_told_so(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let version = ada.puts(&at, b"refused").await?;
    ada.is_cut(by_app(ada.now)).await?;
    let answer = refused(setup, &ada, &at, version).await?;
    answer.should_be_signed_out("ending a session that has ended")
}

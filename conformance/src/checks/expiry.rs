//! Ends to the millisecond, on a clock that the check sets.

use std::time::Duration;

use token_cache_core::{Entry, EvictTarget, PutMode, PutResult, ReadOptions, Version};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, Amend, by_app},
    assertions::{Assertions, should_equal},
};

const MILLI: Duration = Duration::from_millis(1);

/// Soon enough to be waited for.
const SOON: Duration = Duration::from_millis(60);

async fn puts_until(
    ada: &AccountDriver<'_>,
    at: &token_cache_core::EntryAddress,
    expires_at: token_cache_core::Timestamp,
) -> Result<(), Violation> {
    let version = Version::mint().should_work("minting a version")?;
    let entry = Entry::new(*b"token", version, expires_at);
    let written = ada.write_entry(at, entry, PutMode::Overwrite).await;
    should_equal(
        &written.should_work("a write")?,
        &PutResult::Stored,
        "an unconditional write",
    )
}

/// An entry is a hit up to the last millisecond before its expiry, and a miss from it on.
pub(crate) async fn an_entry_is_a_miss_from_its_expiry_on(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let expires_at = ada.now + Duration::from_secs(600);
    puts_until(&ada, &at, expires_at).await?;
    ada.at_moment(expires_at - MILLI)
        .holds(&at, b"token")
        .await?;
    ada.at_moment(expires_at).misses(&at).await?;
    ada.at_moment(expires_at + MILLI).misses(&at).await
}

/// A session lives up to the last millisecond before its end, and is signed out from it on.
pub(crate) async fn a_session_is_over_from_its_end_on(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    let session_id = ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
    let at = ada.entry(&session_id)?;
    puts_until(&ada, &at, ends_at + Duration::from_secs(600)).await?;
    let before = ada.at_moment(ends_at - MILLI);
    before.lives(&session_id).await?;
    before.holds(&at, b"token").await?;
    for moment in [ends_at, ends_at + MILLI] {
        let after = ada.at_moment(moment);
        after
            .read(&at)
            .await
            .should_be_signed_out("a read past the session's end")?;
        after.is_gone(&session_id).await?;
    }
    Ok(())
}

/// A sign-out that comes when the session is over says that it ended nothing.
pub(crate) async fn a_session_that_is_over_is_not_ended_again(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
    ada.at_moment(ends_at)
        .evicts_nothing(by_app(ada.now))
        .await?;
    let other = setup.account()?;
    let session_id = other
        .signs_in_as(other.record()?.ending_at(ends_at))
        .await?;
    other
        .at_moment(ends_at)
        .evicts_nothing(EvictTarget::Session(session_id))
        .await
}

/// An entry that ends soon takes neither the others nor the session along.
pub(crate) async fn a_short_entry_takes_no_other_along(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let (long, short) = (ada.entry(&session_id)?, ada.entry(&session_id)?);
    ada.puts(&long, b"long").await?;
    puts_until(&ada, &short, setup.now() + SOON).await?;
    setup.until(setup.now() + SOON + MILLI).await?;
    ada.lives(&session_id).await?;
    ada.holds(&long, b"long").await?;
    ada.at_moment(setup.now() + SOON).misses(&short).await
}

/// A session that ends soon takes no longer one of its account along, whichever began first.
pub(crate) async fn a_short_session_takes_no_other_along(setup: &Setup) -> Result<(), Violation> {
    let soon = setup.now() + SOON;
    for long_first in [true, false] {
        let ada = setup.account()?;
        let short = ada.record()?.ending_at(soon);
        let long = if long_first {
            let long = ada.signs_in().await?;
            ada.signs_in_as(short).await?;
            long
        } else {
            ada.signs_in_as(short).await?;
            ada.signs_in().await?
        };
        let at = ada.entry(&long)?;
        ada.puts(&at, b"long").await?;
        setup.until(soon + MILLI).await?;
        ada.lives(&long).await?;
        ada.holds(&at, b"long").await?;
    }
    Ok(())
}

/// An expired entry does not exist: a write that creates one is stored.
pub(crate) async fn an_expired_entry_is_nothing_to_write_over(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let expires_at = ada.now + Duration::from_secs(600);
    puts_until(&ada, &at, expires_at).await?;
    let later = ada.at_moment(expires_at);
    let version = Version::mint().should_work("minting a version")?;
    let entry = Entry::new(*b"new", version, expires_at + Duration::from_secs(600));
    let written = later.write_entry(&at, entry, PutMode::Create).await;
    should_equal(
        &written.should_work("a write")?,
        &PutResult::Stored,
        "a creating write",
    )?;
    later.holds(&at, b"new").await
}

/// The list holds the living sessions only.
pub(crate) async fn the_list_leaves_out_what_is_over(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    let short = ada.record()?.ending_at(ends_at);
    let (long, short) = (ada.signs_in().await?, ada.signs_in_as(short).await?);
    let before = ada
        .store
        .sessions(&ada.key, ReadOptions::at(ends_at - MILLI))
        .await;
    should_equal(
        &before.should_work("listing")?.len(),
        &2,
        "living sessions before the end",
    )?;
    let after = ada.at_moment(ends_at).sessions().await?;
    should_equal(
        &after.contains(&short),
        &false,
        "the session that is over is in the list",
    )?;
    should_equal(
        &after,
        &vec![long],
        "the sessions that live at the end of the other",
    )
}

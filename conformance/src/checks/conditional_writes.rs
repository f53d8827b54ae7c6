//! Creating writes, or over one version: what a refresh ends with.

use futures_util::future::join_all;
use token_cache_core::{Entry, EntryAddress, PutMode, PutResult, Version};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, LIFETIME},
    assertions::{Assertions, should_equal},
};

fn version() -> Result<Version, Violation> {
    Version::mint().should_work("minting a version")
}

async fn writes(
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    value: &[u8],
    version: Version,
    mode: PutMode,
) -> Result<PutResult, Violation> {
    let entry = Entry::new(value, version, ada.now + LIFETIME);
    ada.write_entry(at, entry, mode)
        .await
        .should_work("a conditional write")
}

/// A creating write is stored where nothing is, and changes nothing where something is.
pub(crate) async fn a_write_over_nothing_replaces_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let first = writes(&ada, &at, b"first", version()?, PutMode::Create).await?;
    should_equal(
        &first,
        &PutResult::Stored,
        "a creating write, where nothing is",
    )?;
    let second = writes(&ada, &at, b"second", version()?, PutMode::Create).await?;
    should_equal(
        &second,
        &PutResult::PreconditionFailed,
        "a creating write, where something is",
    )?;
    ada.holds(&at, b"first").await
}

/// A write that replaces a version is stored where that version is, and changes nothing where another is.
pub(crate) async fn a_write_over_a_version_replaces_only_that(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let (first, second) = (version()?, version()?);
    writes(&ada, &at, b"first", first, PutMode::Overwrite)
        .await
        .map(drop)?;
    let written = writes(&ada, &at, b"second", second, PutMode::Update(first)).await?;
    should_equal(
        &written,
        &PutResult::Stored,
        "a write over the version that is there",
    )?;
    let written = writes(&ada, &at, b"stale", version()?, PutMode::Update(first)).await?;
    should_equal(
        &written,
        &PutResult::PreconditionFailed,
        "a write that replaces a version that was there once",
    )?;
    ada.holds(&at, b"second").await?;
    let read = ada.read(&at).await.should_work("a read")?;
    should_equal(
        &read.map(|entry| entry.version()),
        &Some(second),
        "the version that is there",
    )
}

/// A write that replaces a version brings nothing back where the entry was removed meanwhile.
pub(crate) async fn a_write_over_a_version_brings_nothing_back(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let first = ada.puts(&at, b"first").await?;
    ada.store.remove(&at).await.should_work("a removal")?;
    let written = writes(&ada, &at, b"late", version()?, PutMode::Update(first)).await?;
    should_equal(
        &written,
        &PutResult::PreconditionFailed,
        "a write over what was removed",
    )?;
    ada.misses(&at).await
}

/// A write that is sent again after it landed is stored: the retry of a refresh loses nothing.
pub(crate) async fn a_write_sent_twice_is_stored(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    let first = ada.puts(&at, b"first").await?;
    let own = version()?;
    for _ in 0..3 {
        let written = writes(&ada, &at, b"own", own, PutMode::Update(first)).await?;
        should_equal(&written, &PutResult::Stored, "a write over its own version")?;
    }
    ada.holds(&at, b"own").await?;

    let at = ada.entry(&session_id)?;
    for _ in 0..3 {
        let written = writes(&ada, &at, b"own", own, PutMode::Create).await?;
        should_equal(&written, &PutResult::Stored, "a creating write, sent again")?;
    }
    ada.holds(&at, b"own").await
}

/// Of many who write over one version at once, one is stored.
pub(crate) async fn of_racing_conditional_writes_one_is_stored(
    setup: &Setup,
) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let ada = setup.account()?;
    let elsewhere = ada.through(&*there);
    let session_id = ada.signs_in().await?;
    for round in 0..20 {
        let at = ada.entry(&session_id)?;
        let mode = if round % 2 == 0 {
            PutMode::Create
        } else {
            PutMode::Update(ada.puts(&at, b"first").await?)
        };
        let racing = (0..8_u8).map(|n| {
            let server = if n % 2 == 0 { ada } else { elsewhere };
            let at = &at;
            async move {
                let written = writes(&server, at, &[n], version()?, mode).await?;
                Ok::<_, Violation>((written == PutResult::Stored).then_some(n))
            }
        });
        let stored: Result<Vec<_>, _> = join_all(racing).await.into_iter().collect();
        let stored: Vec<u8> = stored?.into_iter().flatten().collect();
        should_equal(&stored.len(), &1, "stored writes of eight over one version")?;
        ada.holds(&at, &stored).await?;
    }
    Ok(())
}

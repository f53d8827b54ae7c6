//! Copies of creating writes that arrive late, after the entry was replaced or removed, or has expired.

use std::time::Duration;

use token_cache_core::{Entry, EntryAddress, PutMode, PutResult, REMEMBERED_CREATIONS, Version};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, LIFETIME},
    assertions::{Assertions, should_equal},
    random::Dice,
};

const SOON: Duration = Duration::from_secs(60);

fn entry(ada: &AccountDriver<'_>, value: &[u8], life: Duration) -> Result<Entry, Violation> {
    let version = Version::mint().should_work("minting a version")?;
    Ok(Entry::new(value, version, ada.now + life))
}

fn over_of(there: &Entry, anything: bool) -> PutMode {
    if anything {
        PutMode::Overwrite
    } else {
        PutMode::Update(there.version())
    }
}

async fn stores(
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    entry: &Entry,
    mode: PutMode,
    what: &str,
) -> Result<(), Violation> {
    let written = ada.write_entry(at, entry.clone(), mode).await;
    should_equal(&written.should_work(what)?, &PutResult::Stored, what)
}

async fn creates(
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    entry: &Entry,
) -> Result<(), Violation> {
    stores(ada, at, entry, PutMode::Create, "a creating write").await
}

async fn is_late(
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
    entry: &Entry,
    when: &str,
) -> Result<(), Violation> {
    let what = format!("a late copy of a creating write, {when}");
    let written = ada.write_entry(at, entry.clone(), PutMode::Create).await;
    should_equal(
        &written.should_work(&what)?,
        &PutResult::PreconditionFailed,
        &what,
    )
}

/// A late copy of a creating write is refused after its entry was removed, also when the entry was replaced in between or has
/// been created anew since. The same version creates other entries.
pub(crate) async fn a_late_copy_of_a_creation_brings_nothing_back(
    setup: &Setup,
) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let ada = setup.account()?;
    let elsewhere = ada.through(&*there);
    let mut dice = Dice::new()?;
    for (replaced, over_anything) in [(false, false), (true, true), (true, false)] {
        let session_id = ada.signs_in().await?;
        let at = ada.entry(&session_id)?;
        let mut created: Vec<Entry> = Vec::new();
        for round in 0..6_u8 {
            let first = entry(&ada, &[round], LIFETIME)?;
            creates(&ada, &at, &first).await?;
            creates(&elsewhere, &at, &first).await?;
            if replaced {
                let mode = over_of(&first, over_anything);
                let next = entry(&ada, b"next", LIFETIME)?;
                stores(&ada, &at, &next, mode, "a write over what is there").await?;
                is_late(&elsewhere, &at, &first, "after another replaced it").await?;
                ada.holds(&at, b"next").await?;
            }
            created.push(first.clone());
            ada.store.remove(&at).await.should_work("a removal")?;
            for late in [&created[dice.below(created.len())], &first] {
                is_late(&elsewhere, &at, late, "after a removal").await?;
                ada.misses(&at).await?;
            }
        }
        let other = ada.entry(&session_id)?;
        creates(&ada, &other, &created[0]).await?;
        let other = ada.entry(&ada.signs_in().await?)?;
        creates(&ada, &other, &created[0]).await?;
    }
    Ok(())
}

/// A late copy of a creating write is refused after the entry that replaced its own has expired, or its own has.
pub(crate) async fn a_late_copy_of_an_expired_creation_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let later = ada.at_moment(ada.now + SOON);
    for over_anything in [true, false] {
        let at = ada.entry(&session_id)?;
        let first = entry(&ada, b"first", LIFETIME)?;
        creates(&ada, &at, &first).await?;
        let mode = over_of(&first, over_anything);
        let short = entry(&ada, b"short", SOON)?;
        stores(&ada, &at, &short, mode, "a write over what is there").await?;
        is_late(&later, &at, &first, "after what replaced it has expired").await?;
        later.misses(&at).await?;
        is_late(&ada, &at, &first, "after what replaced it has expired").await?;
        later.misses(&at).await?;
        creates(&later, &at, &entry(&later, b"anew", LIFETIME)?).await?;
        is_late(&later, &at, &first, "after a new one was created").await?;
        later.holds(&at, b"anew").await?;
    }
    let at = ada.entry(&session_id)?;
    let short = entry(&ada, b"short", SOON)?;
    creates(&ada, &at, &short).await?;
    is_late(&later, &at, &short, "after it has expired").await?;
    later.misses(&at).await
}

/// The last creating writes are remembered, however often the entry was created and removed; new ones are stored all the time.
pub(crate) async fn the_last_creations_are_remembered(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let mut created = Vec::new();
    for round in 1..=2 * REMEMBERED_CREATIONS + 10 {
        let next = entry(&ada, b"created", LIFETIME)?;
        creates(&ada, &at, &next).await?;
        ada.store.remove(&at).await.should_work("a removal")?;
        created.push(next);
        if let Some(first) = created.len().checked_sub(REMEMBERED_CREATIONS)
            && round % 8 == 0
        {
            let when = format!("after {} more and a removal", REMEMBERED_CREATIONS - 1);
            is_late(&ada, &at, &created[first], &when).await?;
            ada.misses(&at).await?;
        }
    }
    Ok(())
}

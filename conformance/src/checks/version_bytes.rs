//! Versions and lock owners that differ in one byte are different ones.

use std::time::Duration;

use token_cache_core::{
    AcquireOptions, Acquired, Entry, EvictOptions, LockOwner, PutMode, PutResult, Version,
    WriteOptions,
};

use crate::{
    Setup, Violation,
    account_driver::LIFETIME,
    assertions::{Assertions, should_equal, should_hold},
    checks::bytes::{neighbours, tag},
    random,
};

fn is_refused(written: PutResult, what: &str) -> Result<(), Violation> {
    should_equal(&written, &PutResult::PreconditionFailed, what)
}

/// A write that names a version which differs in one byte from the one there is refused, and changes nothing.
pub(crate) async fn every_byte_of_a_version_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    for bytes in [random::bytes()?, [0; 8], [0xff; 8]] {
        let at = ada.entry(&session_id)?;
        let there = Entry::new(*b"there", Version::from_bytes(bytes), ada.now + LIFETIME);
        let written = ada.write_entry(&at, there.clone(), PutMode::Create).await;
        should_equal(
            &written.should_work("a creating write")?,
            &PutResult::Stored,
            "a creating write",
        )?;
        for other in neighbours(&bytes)? {
            let other = Version::from_bytes(other);
            let fresh = Version::mint().should_work("minting a version")?;
            // Each is refused: an entry exists, and it has neither of these versions.
            for (version, mode) in [
                (fresh, PutMode::Update(other)),
                (other, PutMode::Create),
                (other, PutMode::Update(fresh)),
            ] {
                let late = Entry::new(*b"late", version, ada.now + LIFETIME);
                let written = ada.write_entry(&at, late, mode).await;
                is_refused(
                    written.should_work("a conditional write")?,
                    "a write that replaces a version that does not exist",
                )?;
            }
            let read = ada.read(&at).await.should_work("a read")?;
            should_hold(
                read.as_ref() == Some(&there),
                "the entry as it was, after refused writes",
                "another",
            )?;
        }
        let next = Version::mint().should_work("minting a version")?;
        let next = Entry::new(*b"next", next, ada.now + LIFETIME);
        let written = ada
            .write_entry(&at, next, PutMode::Update(there.version()))
            .await;
        should_equal(
            &written.should_work("a conditional write")?,
            &PutResult::Stored,
            "a write over the version that is there",
        )?;
    }
    Ok(())
}

/// A lock is given to the holder of the very version that is there, and a refusal ends the session of that version alone.
pub(crate) async fn every_byte_of_a_spent_version_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let version = ada.puts(&at, b"due").await?;
    let locks = setup.store();
    for other in neighbours(version.as_bytes())? {
        let other = Version::from_bytes(other);
        let owner = LockOwner::mint().should_work("minting an owner")?;
        let options = AcquireOptions::new(owner, Duration::from_secs(30), ada.now).seen(other);
        let asked = locks.acquire(&at, options).await;
        should_hold(
            matches!(asked.should_work("asking for a lock")?, Acquired::Fresher(entry) if entry.version() == version),
            "the fresher entry, for who saw another version",
            "another answer",
        )?;
        let ended = locks
            .end_if_version(&at, other, EvictOptions::at(ada.now))
            .await;
        should_equal(
            &ended.should_work("a refusal of another version")?,
            &false,
            "whether a refusal of another version ended the session",
        )?;
    }
    ada.lives(at.session_id()).await?;
    ada.holds(&at, b"due").await
}

/// A lock is its owner's alone: a caller whose name differs in one byte cannot renew or release it.
pub(crate) async fn every_byte_of_a_lock_owner_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let version = ada.puts(&at, b"due").await?;
    let locks = setup.store();
    let owner = LockOwner::mint().should_work("minting an owner")?;
    let take = |owner| {
        let options = AcquireOptions::new(owner, Duration::from_secs(30), ada.now).seen(version);
        locks.acquire(&at, options)
    };
    let taken = take(owner).await.should_work("taking a lock")?;
    should_equal(&taken, &Acquired::Held, "a free lock")?;
    for (i, other) in neighbours(owner.as_bytes())?.into_iter().enumerate() {
        let other = LockOwner::from_bytes(other);
        if i % 2 == 0 {
            let release = locks.release(&at, &other).await;
            release.should_work("a release by another")?;
        } else {
            let entry = Entry::new(
                *b"late",
                Version::from_bytes([tag(i); 8]),
                ada.now + LIFETIME,
            );
            let options = WriteOptions::at(ada.now)
                .mode(PutMode::Create)
                .releasing(other);
            let written = ada.store.write(&at, entry, options).await;
            is_refused(
                written.should_work("a write that names another's lock")?,
                "a creating write, where something is",
            )?;
        }
        let asked = take(other).await.should_work("asking for a lock")?;
        should_hold(
            matches!(asked, Acquired::Busy(_)),
            "a lock that is held, for an owner whose name differs in one byte",
            &format!("{asked:?}"),
        )?;
    }
    let renewed = take(owner).await.should_work("renewing a lock")?;
    should_equal(&renewed, &Acquired::Held, "the owner's own lock")
}

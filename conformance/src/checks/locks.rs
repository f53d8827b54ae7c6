//! Refresh locks.

use std::time::Duration;

use token_cache_core::{
    AcquireOptions, Acquired, Entry, EntryAddress, Error, LockOwner, PutMode, PutResult, Version,
    WriteOptions,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, Amend, LIFETIME, by_app},
    assertions::{Assertions, should_equal, should_hold},
    random,
};

const LEASE: Duration = Duration::from_secs(30);

fn owner() -> Result<LockOwner, Violation> {
    LockOwner::mint().should_work("minting an owner")
}

async fn acquire(
    setup: &Setup,
    at: &EntryAddress,
    owner: LockOwner,
    seen: Option<Version>,
) -> Result<Result<Acquired, Error>, Violation> {
    let mut options = AcquireOptions::new(owner, LEASE, setup.now());
    options.seen = seen;
    Ok(setup.store().acquire(at, options).await)
}

async fn holds(setup: &Setup, at: &EntryAddress, owner: LockOwner) -> Result<(), Violation> {
    let acquired = acquire(setup, at, owner, None)
        .await?
        .should_work("taking a lock")?;
    should_hold(
        acquired == Acquired::Held,
        "the lock",
        &format!("{acquired:?}"),
    )
}

async fn is_busy(setup: &Setup, at: &EntryAddress, owner: LockOwner) -> Result<(), Violation> {
    match acquire(setup, at, owner, None)
        .await?
        .should_work("asking for a lock")?
    {
        Acquired::Busy(left) if left <= LEASE => Ok(()),
        Acquired::Busy(left) => Err(Violation::new(
            "the rest of a lease of 30 s",
            format!("{} ms", left.as_millis()),
        )),
        other => Err(Violation::new(
            "a lock that another holds",
            format!("{other:?}"),
        )),
    }
}

async fn release(setup: &Setup, at: &EntryAddress, owner: LockOwner) -> Result<(), Violation> {
    setup
        .store()
        .release(at, &owner)
        .await
        .should_work("releasing a lock")
}

/// The holder of a lock excludes every other owner, on any server.
pub(crate) async fn a_lock_has_one_holder(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let (first, second) = (owner()?, owner()?);
    holds(setup, &at, first).await?;
    is_busy(setup, &at, second).await?;
    let there = setup.another_server().await?;
    let locks = &*there;
    let asked = locks
        .acquire(&at, AcquireOptions::new(second, LEASE, setup.now()))
        .await;
    let asked = asked.should_work("asking for a lock on another server")?;
    should_hold(
        matches!(asked, Acquired::Busy(_)),
        "a lock that another holds",
        "it was given",
    )?;
    is_busy(setup, &at, second).await
}

/// Of many who ask for a lock at once, one gets it.
pub(crate) async fn of_racing_owners_one_gets_the_lock(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    for _ in 0..20 {
        let at = ada.entry(&session_id)?;
        let racing = (0..8).map(|_| async {
            let acquired = acquire(setup, &at, owner()?, None)
                .await?
                .should_work("asking")?;
            Ok::<_, Violation>(acquired == Acquired::Held)
        });
        let held: Result<Vec<_>, _> = futures_util::future::join_all(racing)
            .await
            .into_iter()
            .collect();
        let held = held?.into_iter().filter(|held| *held).count();
        should_equal(&held, &1, "holders of eight who asked at once")?;
    }
    Ok(())
}

/// The holder renews its lock by asking again, which is also what a request sent twice does.
pub(crate) async fn a_holder_renews_its_lock(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let (first, second) = (owner()?, owner()?);
    let short = Duration::from_millis(80);
    let options = AcquireOptions::new(first, short, setup.now());
    let taken = setup
        .store()
        .acquire(&at, options)
        .await
        .should_work("taking a lock")?;
    should_hold(taken == Acquired::Held, "the lock", "it was not given")?;
    holds(setup, &at, first).await?;
    setup.until(setup.now() + short + short).await?;
    is_busy(setup, &at, second).await?;
    holds(setup, &at, first).await?;
    is_busy(setup, &at, second).await
}

/// A lock whose lease has run out is free, so that a holder that died does not block others for long.
pub(crate) async fn a_lease_runs_out(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let options = AcquireOptions::new(owner()?, Duration::from_millis(50), setup.now());
    let taken = setup
        .store()
        .acquire(&at, options)
        .await
        .should_work("taking a lock")?;
    should_hold(taken == Acquired::Held, "the lock", "it was not given")?;
    let next = owner()?;
    setup
        .until_it_holds(async || {
            let asked = acquire(setup, &at, next, None)
                .await?
                .should_work("asking for a lock")?;
            Ok(asked == Acquired::Held)
        })
        .await?;
    is_busy(setup, &at, owner()?).await
}

/// A released lock is free at once; a release by who does not hold it changes nothing.
pub(crate) async fn only_the_holder_releases_a_lock(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let (first, second) = (owner()?, owner()?);
    release(setup, &at, first).await?;
    holds(setup, &at, first).await?;
    release(setup, &at, second).await?;
    is_busy(setup, &at, second).await?;
    release(setup, &at, first).await?;
    holds(setup, &at, second).await?;
    release(setup, &at, first).await?;
    is_busy(setup, &at, first).await
}

/// A lock is of one entry of one session of one account.
pub(crate) async fn a_lock_is_of_one_entry(setup: &Setup) -> Result<(), Violation> {
    let (ada, bob) = (setup.account()?, setup.account()?);
    let (phone, laptop) = (ada.signs_in().await?, ada.signs_in().await?);
    let of_bob = bob.signs_in().await?;
    let at = ada.entry(&phone)?;
    holds(setup, &at, owner()?).await?;
    holds(setup, &ada.entry(&phone)?, owner()?).await?;
    holds(setup, &ada.entry_named(&laptop, *at.name()), owner()?).await?;
    holds(setup, &bob.entry_named(&of_bob, *at.name()), owner()?).await?;
    is_busy(setup, &at, owner()?).await
}

/// A request for a lock after another server has written returns what was written, and no lock.
pub(crate) async fn a_fresher_entry_answers_for_the_lock(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let old = ada.puts(&at, b"old").await?;
    let new = ada.puts(&at, b"new").await?;
    let (late, next) = (owner()?, owner()?);
    for seen in [Some(old), None] {
        match acquire(setup, &at, late, seen)
            .await?
            .should_work("asking for a lock")?
        {
            Acquired::Fresher(entry) if entry.stored() == b"new" && entry.version() == new => {}
            other => return Err(Violation::new("the fresher entry", format!("{other:?}"))),
        }
    }
    let taken = acquire(setup, &at, next, Some(new))
        .await?
        .should_work("taking the lock")?;
    should_hold(
        taken == Acquired::Held,
        "the lock, of who saw the newest",
        "not given",
    )?;
    let asked = acquire(setup, &at, late, Some(new))
        .await?
        .should_work("asking for a lock")?;
    should_hold(
        matches!(asked, Acquired::Busy(_)),
        "a lock that another holds",
        "it was given",
    )?;
    let asked = acquire(setup, &at, late, Some(old))
        .await?
        .should_work("asking for a lock")?;
    should_hold(
        matches!(asked, Acquired::Fresher(_)),
        "the fresher entry, also while another holds the lock",
        "another answer",
    )
}

/// An expired entry is nothing fresher.
pub(crate) async fn an_expired_entry_is_nothing_fresher(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let expires_at = ada.now + Duration::from_secs(600);
    let version = Version::mint().should_work("minting a version")?;
    let entry = Entry::new(*b"old", version, expires_at);
    let written = ada
        .write_entry(&at, entry, PutMode::Overwrite)
        .await
        .should_work("a write")?;
    should_equal(&written, &PutResult::Stored, "an unconditional write")?;
    let options = AcquireOptions::new(owner()?, LEASE, expires_at);
    let taken = setup
        .store()
        .acquire(&at, options)
        .await
        .should_work("taking a lock")?;
    should_hold(taken == Acquired::Held, "the lock", "it was not given")
}

/// A write gives its lock back, whether it is stored or refused, and only its own lock.
///
/// A store may let the new version be freedom enough, so a lock that must hold is asked for while the entry is the version that
/// its holder saw.
pub(crate) async fn a_write_releases_its_lock(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let (first, second) = (owner()?, owner()?);
    let write = async |mode: PutMode, version: Version, releasing: LockOwner| {
        let entry = Entry::new(*b"refreshed", version, ada.now + LIFETIME);
        let options = WriteOptions::at(ada.now).mode(mode).releasing(releasing);
        let written = ada.store.write(&at, entry, options).await;
        written.should_work("a write-back")
    };
    let mint = || Version::mint().should_work("minting a version");
    let takes = async |owner: LockOwner, seen: Version, after: &str| {
        let taken = acquire(setup, &at, owner, Some(seen))
            .await?
            .should_work("asking for a lock")?;
        should_hold(
            taken == Acquired::Held,
            &format!("the lock, {after}"),
            &format!("{taken:?}"),
        )
    };
    let seen = ada.puts(&at, b"due").await?;
    takes(first, seen, "which is free").await?;
    for (mode, version, expected, which) in [
        (
            PutMode::Create,
            mint()?,
            PutResult::PreconditionFailed,
            "a refused",
        ),
        (PutMode::Overwrite, seen, PutResult::Stored, "a stored"),
    ] {
        let written = write(mode, version, second).await?;
        let what = format!("{which} write that names another's lock");
        should_equal(&written, &expected, &what)?;
        let asked = acquire(setup, &at, second, Some(seen))
            .await?
            .should_work("asking for a lock")?;
        should_hold(
            matches!(asked, Acquired::Busy(_)),
            &format!("a lock that another holds, after {what}"),
            "it was given",
        )?;
    }

    let stored = mint()?;
    let written = write(PutMode::Update(seen), stored, first).await?;
    should_equal(&written, &PutResult::Stored, "a write-back")?;
    takes(second, stored, "which the write-back released").await?;

    let meanwhile = ada.puts(&at, b"put meanwhile").await?;
    let written = write(PutMode::Update(stored), mint()?, second).await?;
    should_equal(
        &written,
        &PutResult::PreconditionFailed,
        "a write-back over another version",
    )?;
    takes(first, meanwhile, "which the refused write released").await
}

/// There is no lock of a session that has ended, is over, or never began.
pub(crate) async fn no_lock_outlives_its_session(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    let short = ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
    let at = ada.entry(&short)?;
    let options = AcquireOptions::new(owner()?, LEASE, ends_at);
    let mode = setup.store().acquire(&at, options).await;
    mode.should_be_signed_out("taking a lock of a session that is over")?;

    let ended = ada.signs_in().await?;
    let at = ada.entry(&ended)?;
    let holder = owner()?;
    holds(setup, &at, holder).await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    for owner in [holder, owner()?] {
        let acquired = acquire(setup, &at, owner, None).await?;
        acquired.should_be_signed_out("taking a lock after the sign-out")?;
    }
    release(setup, &at, holder).await?;
    let late = Entry::new(
        *b"late",
        Version::mint().should_work("minting a version")?,
        ada.now + LIFETIME,
    );
    let options = WriteOptions::at(ada.now).releasing(holder);
    let late = ada.store.write(&at, late, options).await;
    late.should_be_signed_out("a write-back after the sign-out")?;
    never_began(setup, &ada).await
}

async fn never_began(setup: &Setup, ada: &AccountDriver<'_>) -> Result<(), Violation> {
    let at = ada.entry(&random::session_id()?)?;
    let acquired = acquire(setup, &at, owner()?, None).await?;
    acquired.should_be_signed_out("taking a lock of a session that never began")
}

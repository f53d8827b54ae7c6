//! No undeclared limit: more than a thousand entries, accounts, `sid`s, sign-outs and lease holders.

use std::{collections::BTreeSet, future::Future, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use token_cache_core::{
    AccountListOptions, AcquireOptions, Acquired, CutoffBound, CutoffTime, EvictOptions,
    EvictTarget, Invalidation, LockOwner, NotBeforeOptions, NotBeforeScope,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, by_app},
    assertions::{Assertions, should_equal},
    checks::sid_index::sid_entry,
    random::{self, Dice},
    recording_listener::Connected,
};

/// Calls under way at once.
const AT_ONCE: usize = 16;

/// More than a thousand; how many more is random. A store on a server gets so many in one of twelve checks, and more than a hundred in
/// the others: each is a request.
pub(super) fn many(setup: &Setup) -> Result<usize, Violation> {
    let mut dice = Dice::new()?;
    Ok(if setup.store().clock().is_some() || dice.below(12) == 0 {
        1_001 + dice.below(40)
    } else {
        101 + dice.below(12)
    })
}

pub(super) async fn all<T, F: Future<Output = Result<T, Violation>>>(
    calls: impl Iterator<Item = F>,
) -> Result<Vec<T>, Violation> {
    stream::iter(calls).buffered(AT_ONCE).try_collect().await
}

pub(super) fn some<T: Copy>(all: &[T], dice: &mut Dice) -> Vec<T> {
    let mut some: Vec<_> = (0..12).map(|_| all[dice.below(all.len())]).collect();
    some.extend(all.first());
    some.extend(all.last());
    some
}

/// A session keeps as many entries, and locks of them, as are put: each is there until it is removed or the session ends.
pub(crate) async fn a_session_may_have_any_number_of_entries(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let entries: Result<Vec<_>, _> = (0..many(setup)?).map(|_| ada.entry(&session_id)).collect();
    let entries = entries?;
    let puts = entries.iter().map(|at| ada.puts(at, at.name().as_bytes()));
    let versions = all(puts).await?;
    let (first, second) = (
        LockOwner::mint().should_work("minting an owner")?,
        LockOwner::mint().should_work("minting an owner")?,
    );
    let ask = |at, version, owner| async move {
        let options = AcquireOptions::new(owner, Duration::from_secs(600), ada.now);
        let asked = setup.store().acquire(at, options.seen(version)).await;
        asked.should_work("asking for a lock")
    };
    let pairs = || entries.iter().zip(&versions);
    let taken = all(pairs().map(|(at, version)| ask(at, *version, first))).await?;
    let held = taken.iter().filter(|taken| **taken == Acquired::Held);
    should_equal(
        &held.count(),
        &entries.len(),
        "setup.store() that were taken",
    )?;
    let asked = all(pairs().map(|(at, version)| ask(at, *version, second))).await?;
    let busy = asked
        .iter()
        .filter(|asked| matches!(asked, Acquired::Busy(_)));
    should_equal(&busy.count(), &entries.len(), "setup.store() that are held")?;
    all(entries.iter().map(|at| ada.holds(at, at.name().as_bytes()))).await?;
    ada.evicts_sessions(EvictTarget::Session(session_id))
        .await?;
    for at in some(&entries.iter().collect::<Vec<_>>(), &mut Dice::new()?) {
        let read = ada.read(at).await;
        read.should_be_signed_out("a read of an ended session")?;
    }
    Ok(())
}

/// However many accounts signed in under a `sid`, a sign-out of it is told all of them.
pub(crate) async fn a_sid_may_have_any_number_of_accounts(setup: &Setup) -> Result<(), Violation> {
    let sid_index = setup.store();
    let sid = random::sid()?;
    let accounts: Result<Vec<_>, _> = (0..many(setup)?).map(|_| setup.account()).collect();
    let accounts = accounts?;
    let sid = &sid;
    for batch in accounts.chunks(4) {
        all(batch.iter().map(|ada| async move {
            let added = sid_index.add(sid, sid_entry(ada)).await;
            added.should_work("entering a `sid`")
        }))
        .await?;
    }
    let expected: BTreeSet<_> = accounts.iter().map(|ada| ada.key).collect();
    for bound in [
        CutoffBound::Time(CutoffTime::on_store_clock(setup.now())),
        CutoffBound::Forever,
    ] {
        let answer = sid_index
            .set_sid_not_before(sid, bound, NotBeforeOptions::default())
            .await;
        let found: BTreeSet<_> = answer
            .should_work("setting the not-before time of a `sid`")?
            .accounts
            .into_iter()
            .collect();
        should_equal(
            &(found.len(), found == expected),
            &(expected.len(), true),
            "the accounts under the `sid`",
        )?;
    }
    Ok(())
}

/// However many `sid`s, issuers and accounts are signed out, each of them refuses what its sign-out overtook.
pub(crate) async fn any_number_of_sign_outs_are_kept(setup: &Setup) -> Result<(), Violation> {
    let accounts: Result<Vec<_>, _> = (0..many(setup)?).map(|_| setup.account()).collect();
    let accounts = accounts?;
    all(accounts
        .iter()
        .map(|ada| ada.evicts_nothing(by_app(ada.now))))
    .await?;
    all(accounts.iter().map(|ada| async {
        let begun = ada.begin(ada.record()?).await;
        begun.should_be_signed_out("a sign-in that its account's sign-out overtook")
    }))
    .await?;
    let sid_index = setup.store();
    let not_after = setup.now() + Duration::from_secs(900);
    let names: Result<Vec<_>, Violation> = (0..many(setup)?)
        .map(|_| Ok((random::sid()?, random::issuer()?)))
        .collect();
    let names = names?;
    let ada = setup.account()?;
    all(names
        .iter()
        .enumerate()
        .map(|(n, (sid, issuer))| async move {
            let bound = if n % 2 == 0 {
                CutoffBound::Forever
            } else {
                CutoffBound::Time(CutoffTime::on_store_clock(ada.now))
            };
            let answer = sid_index
                .set_sid_not_before(sid, bound, NotBeforeOptions::default())
                .await;
            answer.should_work("setting the not-before time of a `sid`")?;
            let answer = sid_index
                .set_issuer_not_before(issuer, ada.now, NotBeforeOptions::default())
                .await;
            answer.should_work("setting the not-before time of an issuer")
        }))
    .await?;
    all(names.iter().map(|(sid, issuer)| async move {
        let added = sid_index.add(sid, sid_entry(&ada)).await;
        added.should_be_signed_out("a sign-in that the sign-out of its `sid` overtook")?;
        let checked = sid_index
            .check_issuer(issuer, ada.requested(), not_after)
            .await;
        checked.should_be_signed_out("a sign-in that its issuer's sign-out overtook")
    }))
    .await
    .map(drop)
}

/// However many `sid`s there are, each leads to its account.
pub(crate) async fn any_number_of_sids_lead_to_their_accounts(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let pairs: Result<Vec<_>, Violation> = (0..many(setup)?)
        .map(|_| Ok((random::sid()?, setup.account()?)))
        .collect();
    let pairs = pairs?;
    all(pairs.iter().map(|(sid, ada)| async move {
        let added = sid_index.add(sid, sid_entry(ada)).await;
        added.should_work("entering a `sid`")
    }))
    .await?;
    all(pairs.iter().map(|(sid, ada)| async move {
        let answer = sid_index
            .set_sid_not_before(sid, CutoffBound::Forever, NotBeforeOptions::default())
            .await;
        let found = answer
            .should_work("setting the not-before time of a `sid`")?
            .accounts;
        should_equal(&found, &vec![ada.key], "the account under the `sid`")
    }))
    .await
    .map(drop)
}

/// However many accounts there are, all are listed, and a batch of all of them ends each one's sessions and sets its not-before time.
pub(crate) async fn any_number_of_accounts_are_listed_and_evicted(
    setup: &Setup,
) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let issuer = random::issuer()?;
    let accounts: Result<Vec<_>, Violation> = (0..many(setup)?)
        .map(|_| {
            let key = random::account_of(&issuer)?;
            Ok(AccountDriver::new(setup.store(), key, setup.now()))
        })
        .collect();
    let accounts = accounts?;
    all(accounts.iter().map(AccountDriver::signs_in)).await?;
    let sid_index = setup.store();
    let expected: BTreeSet<_> = accounts.iter().map(|ada| ada.key).collect();
    for page in [0, 200 + dice.below(200)] {
        let mut scan = AccountListOptions::of_issuer(issuer).page(page);
        let mut found = BTreeSet::new();
        loop {
            let page = sid_index.accounts(&scan).await;
            let page = page.should_work("a page of accounts")?;
            found.extend(page.accounts);
            let Some(next) = page.next else { break };
            scan = scan.from(next);
        }
        should_equal(
            &(found.len(), found == expected),
            &(expected.len(), true),
            "the accounts of the issuer",
        )?;
    }
    let keys: Vec<_> = accounts.iter().map(|ada| ada.key).collect();
    let evicted = sid_index
        .evict_accounts(
            &keys,
            setup.now(),
            NotBeforeScope::Account,
            EvictOptions::at(setup.now()),
        )
        .await;
    should_equal(&evicted.len(), &keys.len(), "answers, one for each account")?;
    for evicted in evicted {
        let ended = evicted.should_work("an eviction of many accounts")?.ended;
        should_equal(&ended, &true, "whether the account's session ended")?;
    }
    all(accounts.iter().map(|ada| async {
        should_equal(&ada.sessions().await?.len(), &0, "sessions of an account")?;
        let late = ada.begin(ada.record()?).await;
        late.should_be_signed_out("a sign-in that the batch overtook")
    }))
    .await
    .map(drop)
}

/// An invalidation message tells every server whose lease runs, however many there are, and whether or not their connections are open.
pub(crate) async fn an_invalidation_message_reaches_every_lease_holder(
    setup: &Setup,
) -> Result<(), Violation> {
    let origin = Connected::new(setup).await?;
    // A harness may have servers of its own in the registry.
    let store = setup.another_server().await?;
    let before = origin.holders().await?.len();
    // Each opens a connection.
    let servers = if setup.store().clock().is_some() {
        many(setup)?
    } else {
        33 + Dice::new()?.below(8)
    };
    let mut held = BTreeSet::new();
    let mut open = Vec::new();
    for n in 0..servers {
        let holder = Connected::over(store.clone()).await?;
        holder.renews().await?;
        held.insert(holder.id);
        // Most connections end without a word: their leases run on.
        if n % 16 == 0 {
            open.push(holder);
        }
    }
    let told: BTreeSet<_> = origin.holders().await?.iter().map(|h| h.server).collect();
    should_equal(
        &(told.len(), told.is_superset(&held)),
        &(before + held.len(), true),
        "lease holders in the answer to a published invalidation",
    )?;
    let ada = setup.account()?;
    let evict = EvictOptions::at(ada.now).published_by(origin.id);
    let evicted = origin.store.evict(&ada.key, by_app(ada.now), evict).await;
    let published = evicted.should_work("a published sign-out")?.published;
    let told = published.map_or(0, |published| published.holders.len());
    should_equal(
        &told,
        &(before + held.len()),
        "lease holders in the answer to a published sign-out",
    )
}

/// An invalidation message comes whole, however many accounts it names.
pub(crate) async fn an_invalidation_message_may_name_any_number_of_accounts(
    setup: &Setup,
) -> Result<(), Violation> {
    let (origin, other) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let accounts: Result<Vec<_>, _> = (0..many(setup)?).map(|_| random::account()).collect();
    let what = Invalidation::Accounts(accounts?);
    let published = origin.publishes(what.clone()).await?;
    other.renews().await?;
    let heard = other.heard(published.id).map(|heard| heard.what);
    // It may say that all copies are to go, which is as good.
    let whole = heard == Some(what) || heard == Some(Invalidation::Everything);
    should_equal(&whole, &true, "whether it came whole")
}

//! Names that differ in one byte are different names.

use std::time::Duration;

use token_cache_core::{
    AccountKey, AccountListOptions, BackgroundKey, BackgroundSession, CutoffBound, CutoffTime,
    EntryName, EvictTarget, IssuerKey, LeaseHolder, NamespaceRecord, NotBeforeOptions, ReadOptions,
    ServerId, SessionId, SidKey,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, Amend, by_app, provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::sid_index::sid_entry,
    random,
    recording_listener::Connected,
};

/// The names that differ from `bytes` in one random bit, one for each byte.
pub(super) fn neighbours<const N: usize>(bytes: &[u8; N]) -> Result<Vec<[u8; N]>, Violation> {
    let bits: [u8; N] = random::bytes()?;
    let flipped = (0..N).map(|i| {
        let mut other = *bytes;
        other[i] ^= 1 << (bits[i] % 8);
        other
    });
    Ok(flipped.collect())
}

pub(super) fn tag(n: usize) -> u8 {
    n.to_le_bytes()[0]
}

/// Sessions whose names differ in one byte are sessions apart, dead or alive.
pub(crate) async fn every_byte_of_a_session_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    ada.puts(&at, b"token").await?;
    let others = neighbours(session_id.as_bytes())?.into_iter();
    let others: Vec<_> = others.map(SessionId::from_bytes).collect();
    let name = random::background_key()?;
    for other in &others {
        ada.session(other)
            .await
            .should_be_signed_out("a look at a session that never began")?;
        let there = ada.entry_named(other, *at.name());
        ada.read(&there)
            .await
            .should_be_signed_out("a read of a session that never began")?;
        ada.write(&there, b"late")
            .await
            .should_be_signed_out("a write to a session that never began")?;
        ada.store.remove(&there).await.should_work("a removal")?;
        ada.evicts_nothing(EvictTarget::Session(*other)).await?;
        let kept = BackgroundSession::new(*other, b"sealed".to_vec());
        let kept = setup
            .store()
            .keep(&ada.key, &name, kept, ReadOptions::at(ada.now))
            .await;
        kept.should_be_signed_out("keeping a background session of a session that never began")?;
    }
    let mut retry = ada.begin_of(ada.record()?);
    retry.supersedes.clone_from(&others);
    let retried = ada.store.begin(&ada.key, retry).await;
    retried.should_work("a sign-in that supersedes others")?;
    ada.lives(&session_id).await?;
    ada.holds(&at, b"token").await?;

    for (n, other) in others.iter().enumerate() {
        let mut record = ada.record()?;
        record.session_id = *other;
        ada.signs_in_as(record).await?;
        let there = ada.entry_named(other, *at.name());
        ada.puts(&there, &[tag(n)]).await?;
    }
    for (n, other) in others.iter().enumerate() {
        ada.holds(&ada.entry_named(other, *at.name()), &[tag(n)])
            .await?;
        ada.evicts_sessions(EvictTarget::Session(*other)).await?;
        ada.holds(&at, b"token").await?;
    }
    should_equal(&ada.sessions().await?.len(), &2, "living sessions")
}

/// Accounts whose names differ in one byte are accounts apart: a sign-out of one neither ends the other's
/// sessions nor sets its not-before time.
pub(crate) async fn every_byte_of_an_account_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    ada.puts(&at, b"ada's").await?;
    let issuers = neighbours(ada.key.issuer().as_bytes())?.into_iter();
    let issuers =
        issuers.map(|issuer| AccountKey::new(IssuerKey::from_bytes(issuer), *ada.key.subject()));
    let subjects = neighbours(ada.key.subject())?.into_iter();
    let subjects = subjects.map(|subject| AccountKey::new(*ada.key.issuer(), subject));
    for key in issuers.chain(subjects) {
        let bob = AccountDriver::new(ada.store, key, ada.now);
        bob.session(&session_id)
            .await
            .should_be_signed_out("a look at another account's session")?;
        let there = bob.entry_named(&session_id, *at.name());
        bob.read(&there)
            .await
            .should_be_signed_out("a read of another account's entry")?;
        bob.evicts_nothing(by_app(bob.now)).await?;
        bob.evicts_nothing(EvictTarget::Session(session_id)).await?;
    }
    ada.holds(&at, b"ada's").await?;
    let another = ada.signs_in().await?;
    ada.lives(&another).await
}

/// Provider's sessions whose names differ in one byte are sessions apart.
pub(crate) async fn every_byte_of_a_sid_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let sid = random::sid()?;
    let session_id = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
    let added = setup.store().add(&sid, sid_entry(&ada)).await;
    added.should_work("entering a `sid`")?;
    for (n, other) in neighbours(sid.as_bytes())?.into_iter().enumerate() {
        let other = SidKey::from_bytes(other);
        let bound = if n % 2 == 0 {
            CutoffBound::Forever
        } else {
            CutoffBound::Time(CutoffTime::on_store_clock(ada.now))
        };
        ada.evicts_nothing(EvictTarget::Sid { sid: other, bound })
            .await?;
        let without_sid = EvictTarget::SidOrWithoutSid {
            sid: other,
            without_sid_until: provider(0),
        };
        ada.evicts_nothing(without_sid).await?;
        let answer = setup
            .store()
            .set_sid_not_before(&other, bound, NotBeforeOptions::default())
            .await;
        let found = answer
            .should_work("setting the not-before time of a `sid`")?
            .accounts;
        should_equal(&found.len(), &0, "accounts under another `sid`")?;
    }
    ada.lives(&session_id).await?;
    let added = setup.store().add(&sid, sid_entry(&ada)).await;
    added.should_work("entering a `sid` that was not ended")?;
    Ok(())
}

/// Entries whose names differ in one byte are entries apart.
pub(crate) async fn every_byte_of_an_entry_counts(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let name = random::entry()?;
    let others = neighbours(name.as_bytes())?.into_iter();
    let mut names: Vec<_> = others.map(EntryName::from_bytes).collect();
    names.push(name);
    for (n, name) in names.iter().enumerate() {
        let at = ada.entry_named(&session_id, *name);
        ada.misses(&at).await?;
        ada.puts(&at, &[tag(n)]).await?;
    }
    for (n, name) in names.iter().enumerate().rev() {
        let at = ada.entry_named(&session_id, *name);
        ada.holds(&at, &[tag(n)]).await?;
        ada.store.remove(&at).await.should_work("a removal")?;
    }
    Ok(())
}

/// Issuers whose names differ in one byte are issuers apart.
pub(crate) async fn every_byte_of_an_issuer_counts(setup: &Setup) -> Result<(), Violation> {
    let sid_index = setup.store();
    let ada = setup.account()?;
    ada.signs_in().await?;
    let not_after = ada.now + Duration::from_secs(900);
    for other in neighbours(ada.key.issuer().as_bytes())? {
        let other = IssuerKey::from_bytes(other);
        let answer = sid_index
            .set_issuer_not_before(&other, ada.now, NotBeforeOptions::default())
            .await;
        answer.should_work("setting the not-before time of an issuer")?;
    }
    let checked = sid_index
        .check_issuer(ada.key.issuer(), ada.requested(), not_after)
        .await;
    checked.should_work("a sign-in at an issuer that was not signed out")?;
    let others = neighbours(ada.key.issuer().as_bytes())?;
    // A store may visit all that it has for each of these.
    for other in [others[0], others[7], others[15]] {
        let mut scan = AccountListOptions::of_issuer(IssuerKey::from_bytes(other));
        loop {
            let page = sid_index.accounts(&scan).await;
            let page = page.should_work("a page of accounts")?;
            should_equal(&page.accounts.len(), &0, "accounts of another issuer")?;
            let Some(next) = page.next else { break };
            scan = scan.from(next);
        }
    }
    Ok(())
}

/// Background sessions whose names differ in one byte are background sessions apart.
pub(crate) async fn every_byte_of_a_background_session_counts(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let name = random::background_key()?;
    let background_sessions = setup.store();
    let options = ReadOptions::at(ada.now);
    let kept = BackgroundSession::new(session_id, b"sealed".to_vec());
    let keep = background_sessions
        .keep(&ada.key, &name, kept.clone(), options)
        .await;
    keep.should_work("keeping a background session")?;
    for other in neighbours(name.as_bytes())? {
        let other = BackgroundKey::from_bytes(other);
        let found = background_sessions.find(&ada.key, &other, options).await;
        let found = found.should_work("finding a background session")?;
        should_equal(&found.len(), &0, "background sessions under another name")?;
    }
    let found = background_sessions.find(&ada.key, &name, options).await;
    should_equal(
        &found.should_work("finding a background session")?,
        &vec![kept],
        "the background session under its name",
    )
}

/// The namespace's record is replaced only by who knows every byte of it.
pub(crate) async fn every_byte_of_the_namespace_counts(setup: &Setup) -> Result<(), Violation> {
    let store = setup.store();
    let life = Duration::from_millis(0x0102_0304);
    let held = NamespaceRecord::new(u64::from_be_bytes(random::bytes()?), random::bytes()?)
        .with_near_cache(life);
    let set = store.set_namespace(None, &held).await;
    should_equal(
        &set.should_work("the first record")?,
        &true,
        "whether the first record was written",
    )?;
    let other =
        |generation, check, life| NamespaceRecord::new(generation, check).with_near_cache(life);
    let mut expected = Vec::new();
    for check in neighbours(&held.check)? {
        expected.push(other(held.generation, check, life));
    }
    for generation in neighbours(&held.generation.to_be_bytes())? {
        expected.push(other(u64::from_be_bytes(generation), held.check, life));
    }
    for millis in neighbours(&0x0102_0304_u32.to_be_bytes())? {
        let millis = u64::from(u32::from_be_bytes(millis));
        expected.push(other(
            held.generation,
            held.check,
            Duration::from_millis(millis),
        ));
    }
    for expected in &expected {
        let set = store.set_namespace(Some(expected), expected).await;
        should_equal(
            &set.should_work("a record over another")?,
            &false,
            "whether a record was replaced that is not the expected one",
        )?;
    }
    should_equal(
        &setup.clock().await?.record,
        &Some(held),
        "the record that is there",
    )
}

/// A server is removed from the registry by its very name and its very last renewal.
pub(crate) async fn every_byte_of_a_lease_holder_counts(setup: &Setup) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    holder.renews().await?;
    let holders = origin.holders().await?;
    let held = holders.iter().find(|held| held.server == holder.id);
    let LeaseHolder { server, renewal } = *held
        .ok_or_else(|| Violation::new("a server that has renewed, in the registry", "none"))?;
    let mut silent = Vec::new();
    for other in neighbours(server.as_bytes())? {
        let server = ServerId::from_bytes(other);
        silent.push(LeaseHolder { server, renewal });
    }
    for other in neighbours(&renewal.to_be_bytes())? {
        let renewal = u64::from_be_bytes(other);
        silent.push(LeaseHolder { server, renewal });
    }
    let reaped = origin.connection.reap(&silent).await;
    reaped.should_work("removing silent servers")?;
    let left = origin.holders().await?;
    should_hold(
        left.contains(&LeaseHolder { server, renewal }),
        "a lease holder that the request did not name",
        "it was removed",
    )
}

//! A call must change nothing that it was refused, and nothing that it does not name.

use std::time::Duration;

use futures_util::future::join_all;
use token_cache_core::{
    CutoffBound, CutoffTime, Entry, ErrorKind, EvictTarget, NotBeforeOptions, PutMode, Version,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, Amend, LIFETIME, by_app, by_provider},
    assertions::{Assertions, should_equal},
    checks::sid_index::sid_entry,
    random::{self, Dice},
};

const MILLI: Duration = Duration::from_millis(1);

/// A refused call changes nothing: a sign-in ends no other session, an index keeps no account, a write leaves the entry as it was.
pub(crate) async fn what_is_refused_changes_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let newer = ada.record()?.requested_at(ada.now + MILLI);
    let lives = ada.signs_in_as(newer).await?;
    let at = ada.entry(&lives)?;
    let version = ada.puts(&at, b"token").await?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    for n in 0..6 {
        let mut refused = ada.begin_of(ada.record()?);
        let session_id = refused.record.session_id;
        refused.supersedes = vec![lives];
        refused.max_sessions = 1;
        if n % 2 == 0 {
            refused.not_after = setup.now();
        }
        let begun = ada.store.begin(&ada.key, refused).await;
        begun.should_be_signed_out("a sign-in that is overtaken, or late")?;
        ada.is_gone(&session_id).await?;
    }
    should_equal(&ada.sessions().await?, &vec![lives], "the living sessions")?;
    ada.holds(&at, b"token").await?;

    let limit = ada.store.capabilities().max_entry_bytes;
    for mode in [PutMode::Overwrite, PutMode::Update(version)] {
        let large = Entry::new(
            vec![0; limit + 1],
            Version::from_bytes([7; 8]),
            ada.now + LIFETIME,
        );
        let written = ada.write_entry(&at, large, mode).await;
        written.should_fail_with(ErrorKind::TooLarge, "a write over the limit")?;
    }
    let read = ada.read(&at).await.should_work("a read")?;
    should_equal(
        &read.map(|entry| entry.version()),
        &Some(version),
        "the version that is there, after refused writes",
    )?;
    let (good, until_now) = (random::sid()?, random::sid()?);
    for (sid, bound) in [
        (good, CutoffBound::Forever),
        (
            until_now,
            CutoffBound::Time(CutoffTime::on_store_clock(ada.now)),
        ),
    ] {
        for _ in 0..2 {
            let answer = setup
                .store()
                .set_sid_not_before(&sid, bound, NotBeforeOptions::default())
                .await;
            let found = answer
                .should_work("setting the not-before time of a `sid`")?
                .accounts;
            should_equal(&found, &vec![], "accounts whose sign-ins were refused")?;
            let added = setup.store().add(&sid, sid_entry(&ada)).await;
            added.should_be_signed_out("a sign-in under a `sid` that was signed out")?;
        }
    }
    Ok(())
}

/// A sign-out ends the sessions in its scope and no others: not the neighbours in time, in account name, in issuer or in `sid`.
pub(crate) async fn a_sign_out_ends_no_neighbour(setup: &Setup) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    for which in 0..5 {
        let (sid, other_sid) = (random::sid()?, random::sid()?);
        let issuer = random::issuer()?;
        let ada = AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
        let same_issuer =
            AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
        let subject = *ada.key.subject();
        let same_subject = token_cache_core::AccountKey::new(random::issuer()?, subject);
        let same_subject = AccountDriver::new(setup.store(), same_subject, setup.now());
        let moment = ada.requested() + MILLI * dice.number(1_000);
        let authenticated = AUTHENTICATED + MILLI * dice.number(1_000);
        let before = |record: token_cache_core::SessionRecord| {
            record.requested_at(moment).authenticated_at(authenticated)
        };
        let after = |record: token_cache_core::SessionRecord| {
            record
                .requested_at(moment + MILLI)
                .authenticated_at(authenticated + MILLI)
        };
        let mut spared = Vec::new();
        for account in [same_issuer, same_subject] {
            let session_id = account
                .signs_in_as(before(account.record()?).with_sid(sid))
                .await?;
            spared.push((account, session_id));
        }
        for record in [
            after(ada.record()?),
            after(ada.record()?).with_sid(other_sid),
            after(ada.record()?).on_behalf_of(),
        ] {
            spared.push((ada, ada.signs_in_as(record).await?));
        }
        let without_sid = ada.signs_in_as(before(ada.record()?)).await?;
        let with_sid = ada.signs_in_as(before(ada.record()?).with_sid(sid)).await?;
        let elsewhere = ada
            .signs_in_as(before(ada.record()?).with_sid(other_sid))
            .await?;
        let (target, ended, others): (_, Vec<_>, Vec<_>) = match which {
            0 => (
                by_app(moment),
                vec![without_sid, with_sid, elsewhere],
                vec![],
            ),
            1 => (
                by_provider(authenticated),
                vec![without_sid, with_sid, elsewhere],
                vec![],
            ),
            2 => (
                EvictTarget::Session(with_sid),
                vec![with_sid],
                vec![without_sid, elsewhere],
            ),
            3 => (
                EvictTarget::Sid {
                    sid,
                    bound: CutoffBound::Time(CutoffTime::on_store_clock(moment)),
                },
                vec![with_sid],
                vec![without_sid, elsewhere],
            ),
            _ => (
                EvictTarget::SidOrWithoutSid {
                    sid,
                    without_sid_until: authenticated,
                },
                vec![without_sid, with_sid],
                vec![elsewhere],
            ),
        };
        spared.extend(others.into_iter().map(|session_id| (ada, session_id)));
        ada.evicts_sessions(target).await?;
        for session_id in &ended {
            ada.is_gone(session_id).await?;
        }
        let lives = spared
            .iter()
            .map(|(account, session_id)| account.lives(session_id));
        join_all(lives)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
    }
    Ok(())
}

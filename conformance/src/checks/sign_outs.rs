//! The sessions that each kind of sign-out ends, and those that it spares.

use std::time::Duration;

use token_cache_core::{CutoffBound, CutoffTime, EvictTarget, Timestamp};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, Amend, by_app, by_provider, provider},
    assertions::{Assertions, should_equal},
    random,
};

const MILLI: Duration = Duration::from_millis(1);

/// A sign-out of an account ends every one of its sessions, with all they hold.
pub(crate) async fn an_eviction_of_an_account_ends_all_its_sessions(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid = random::sid()?;
    for target in [by_app(setup.now()), by_provider(AUTHENTICATED)] {
        let ada = setup.account()?;
        let (mut entries, mut sessions) = (Vec::new(), Vec::new());
        for n in 0..20 {
            let record = ada.record()?;
            let record = if n % 2 == 0 {
                record.with_sid(sid)
            } else {
                record
            };
            let session_id = ada.signs_in_as(record).await?;
            sessions.push(session_id);
            for _ in 0..3 {
                let at = ada.entry(&session_id)?;
                ada.puts(&at, b"token").await?;
                entries.push(at);
            }
        }
        ada.evicts_sessions(target).await?;
        for at in &entries {
            ada.read(at)
                .await
                .should_be_signed_out("a read after the sign-out")?;
        }
        for session_id in &sessions {
            ada.is_gone(session_id).await?;
        }
        should_equal(
            &ada.sessions().await?,
            &Vec::new(),
            "the account's sessions",
        )?;
    }
    Ok(())
}

/// A sign-out of one session ends that one and no other, and sets no not-before time.
pub(crate) async fn an_eviction_of_a_session_ends_that_session_only(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let (phone, laptop) = (ada.signs_in().await?, ada.signs_in().await?);
    let at = ada.entry(&laptop)?;
    ada.puts(&at, b"laptop").await?;
    ada.evicts_sessions(EvictTarget::Session(phone)).await?;
    ada.is_gone(&phone).await?;
    ada.lives(&laptop).await?;
    ada.holds(&at, b"laptop").await?;
    ada.signs_in().await.map(drop)
}

/// A sign-out of a provider's session ends all sessions with that `sid` and no others.
pub(crate) async fn an_eviction_by_sid_ends_the_sessions_with_that_sid(
    setup: &Setup,
) -> Result<(), Violation> {
    let (sid, other) = (random::sid()?, random::sid()?);
    let moment = CutoffBound::Time(CutoffTime::on_store_clock(setup.now()));
    for bound in [CutoffBound::Forever, moment] {
        let ada = setup.account()?;
        let mut with_sid = Vec::new();
        for _ in 0..3 {
            with_sid.push(ada.signs_in_as(ada.record()?.with_sid(sid)).await?);
        }
        let elsewhere = ada.signs_in_as(ada.record()?.with_sid(other)).await?;
        let without_sid = ada.signs_in().await?;
        ada.evicts_sessions(EvictTarget::Sid { sid, bound }).await?;
        for session_id in &with_sid {
            ada.is_gone(session_id).await?;
        }
        ada.lives(&elsewhere).await?;
        ada.lives(&without_sid).await?;
        ada.evicts_nothing(EvictTarget::Sid { sid, bound }).await?;
    }
    Ok(())
}

/// A sign-out of a provider's session by the app spares sessions with the same `sid` that were requested after its cutoff time.
pub(crate) async fn an_eviction_by_sid_and_time_spares_newer_sessions(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid = random::sid()?;
    let ada = setup.account()?;
    let moment = ada.requested();
    let old = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
    let new = ada.record()?.with_sid(sid).requested_at(moment + MILLI);
    let new = ada.signs_in_as(new).await?;
    let bound = CutoffBound::Time(CutoffTime::on_store_clock(moment));
    ada.evicts_sessions(EvictTarget::Sid { sid, bound }).await?;
    ada.is_gone(&old).await?;
    ada.lives(&new).await
}

/// A message with subject and `sid` ends the sessions with that `sid`, and the sessions without a `sid` up to its cutoff time.
/// Sessions with another `sid` live on.
pub(crate) async fn sub_and_sid_end_sessions_with_that_sid_and_without_any(
    setup: &Setup,
) -> Result<(), Violation> {
    let (sid, other) = (random::sid()?, random::sid()?);
    let ada = setup.account()?;
    let newer = AUTHENTICATED + MILLI;
    let with_sid = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
    let newer_with_sid = ada.record()?.with_sid(sid).authenticated_at(newer);
    let newer_with_sid = ada.signs_in_as(newer_with_sid).await?;
    let without_sid = ada.signs_in().await?;
    let newer_without_sid = ada
        .signs_in_as(ada.record()?.authenticated_at(newer))
        .await?;
    let elsewhere = ada.signs_in_as(ada.record()?.with_sid(other)).await?;
    let target = EvictTarget::SidOrWithoutSid {
        sid,
        without_sid_until: AUTHENTICATED,
    };
    ada.evicts_sessions(target).await?;
    for gone in [with_sid, newer_with_sid, without_sid] {
        ada.is_gone(&gone).await?;
    }
    ada.lives(&newer_without_sid).await?;
    ada.lives(&elsewhere).await?;
    ada.evicts_nothing(target).await?;
    ada.lives(&newer_without_sid).await
}

/// A delayed sign-out ends the sessions whose time on its clock is at or before its cutoff time, and spares newer ones.
pub(crate) async fn a_delayed_eviction_spares_newer_sessions(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let old = ada.signs_in().await?;
    let new = ada.record()?.authenticated_at(AUTHENTICATED + MILLI);
    let new = ada.signs_in_as(new).await?;
    let at = ada.entry(&new)?;
    ada.puts(&at, b"new").await?;
    ada.evicts_sessions(by_provider(AUTHENTICATED)).await?;
    ada.is_gone(&old).await?;
    ada.lives(&new).await?;
    ada.holds(&at, b"new").await?;

    let bob = setup.account()?;
    let old = bob.signs_in().await?;
    let new = bob
        .signs_in_as(bob.record()?.requested_at(bob.requested() + MILLI))
        .await?;
    bob.evicts_sessions(by_app(bob.requested())).await?;
    bob.is_gone(&old).await?;
    bob.lives(&new).await
}

/// A sign-out sent twice, or again much later, ends nothing that came in between.
pub(crate) async fn a_repeated_eviction_ends_nothing_newer(setup: &Setup) -> Result<(), Violation> {
    for (target, store, provider_time) in [
        (by_app(setup.now()), setup.now() + MILLI, AUTHENTICATED),
        (
            by_provider(AUTHENTICATED),
            setup.now(),
            AUTHENTICATED + MILLI,
        ),
    ] {
        let ada = setup.account()?;
        ada.signs_in().await?;
        ada.evicts_sessions(target).await?;
        let new = ada
            .record()?
            .requested_at(store)
            .authenticated_at(provider_time);
        let new = ada.signs_in_as(new).await?;
        let at = ada.entry(&new)?;
        ada.puts(&at, b"new").await?;
        for _ in 0..3 {
            ada.evicts_nothing(target).await?;
            ada.lives(&new).await?;
            ada.holds(&at, b"new").await?;
        }
    }
    Ok(())
}

/// A session whose time equals the cutoff time is ended.
pub(crate) async fn equal_times_count_as_before(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    ada.evicts_nothing(by_app(ada.requested() - MILLI)).await?;
    ada.evicts_nothing(by_provider(AUTHENTICATED - MILLI))
        .await?;
    ada.lives(&session_id).await?;
    ada.evicts_sessions(by_app(ada.requested())).await?;
    ada.is_gone(&session_id).await?;

    let bob = setup.account()?;
    let session_id = bob.signs_in().await?;
    bob.evicts_sessions(by_provider(AUTHENTICATED)).await?;
    bob.is_gone(&session_id).await
}

/// A cutoff time is compared only with the session time on its own clock.
pub(crate) async fn each_clock_counts_its_own_times(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let early_here = ada
        .record()?
        .authenticated_at(Timestamp::from_millis(u64::MAX >> 12));
    let early_there = ada
        .record()?
        .authenticated_at(provider(0))
        .requested_at(ada.now + MILLI);
    let early_here = ada.signs_in_as(early_here).await?;
    let early_there = ada.signs_in_as(early_there).await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    ada.is_gone(&early_here).await?;
    ada.lives(&early_there).await?;
    ada.evicts_sessions(by_provider(provider(0))).await?;
    ada.is_gone(&early_there).await
}

/// A session that claims to begin in the future is ended by every sign-out that it is in the scope of.
pub(crate) async fn a_session_of_the_future_escapes_no_sign_out(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid = random::sid()?;
    let bound = |moment| EvictTarget::Sid {
        sid,
        bound: CutoffBound::Time(moment),
    };
    let without_sid = EvictTarget::SidOrWithoutSid {
        sid: random::sid()?,
        without_sid_until: AUTHENTICATED,
    };
    let (here, there) = (
        CutoffTime::on_store_clock(setup.now()),
        CutoffTime::on_provider_clock(AUTHENTICATED),
    );
    for ahead in [
        Duration::from_secs(3_600),
        Duration::from_secs(100 * 365 * 24 * 3_600),
    ] {
        let future = setup.now() + ahead;
        for (target, has_sid) in [
            (EvictTarget::Account(here), false),
            (EvictTarget::Account(there), false),
            (bound(here), true),
            (bound(there), true),
            (without_sid, false),
        ] {
            let ada = setup.account()?;
            let record = ada.record()?.requested_at(future).authenticated_at(future);
            let record = if has_sid {
                record.with_sid(sid)
            } else {
                record
            };
            let session_id = ada.signs_in_as(record).await?;
            let sound = ada
                .signs_in_as(
                    ada.record()?
                        .requested_at(setup.now() + MILLI)
                        .authenticated_at(AUTHENTICATED + MILLI),
                )
                .await?;
            ada.evicts_sessions(target).await?;
            ada.is_gone(&session_id).await?;
            ada.lives(&sound).await?;
        }
    }
    Ok(())
}

/// A sign-out that ends nothing reports that: on an unknown account, the second time, or outside the scope.
pub(crate) async fn ending_nothing_is_reported(setup: &Setup) -> Result<(), Violation> {
    let (sid, other) = (random::sid()?, random::sid()?);
    let forever = |sid| EvictTarget::Sid {
        sid,
        bound: CutoffBound::Forever,
    };
    let ada = setup.account()?;
    let session_id = random::session_id()?;
    for target in [
        by_app(ada.now),
        by_provider(AUTHENTICATED),
        EvictTarget::Session(session_id),
        forever(sid),
    ] {
        setup.account()?.evicts_nothing(target).await?;
    }
    let session_id = ada.signs_in_as(ada.record()?.with_sid(sid)).await?;
    ada.evicts_nothing(forever(other)).await?;
    ada.evicts_nothing(EvictTarget::Session(random::session_id()?))
        .await?;
    let without_sid = EvictTarget::SidOrWithoutSid {
        sid: other,
        without_sid_until: AUTHENTICATED,
    };
    ada.evicts_nothing(without_sid).await?;
    ada.lives(&session_id).await?;
    ada.evicts_sessions(forever(sid)).await?;
    ada.evicts_nothing(forever(sid)).await?;
    ada.evicts_nothing(EvictTarget::Session(session_id)).await?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    ada.evicts_nothing(by_app(ada.now)).await
}

/// A session that one server has ended is gone for every other server at once, even if they read it before.
pub(crate) async fn a_sign_out_is_seen_by_every_server_at_once(
    setup: &Setup,
) -> Result<(), Violation> {
    let (here, there) = (setup.another_server().await?, setup.another_server().await?);
    for _ in 0..20 {
        let on_a = setup.account()?;
        let (on_b, on_c) = (on_a.through(&*here), on_a.through(&*there));
        let session_id = on_a.signs_in().await?;
        let at = on_a.entry(&session_id)?;
        on_a.puts(&at, b"token").await?;
        on_b.holds(&at, b"token").await?;
        on_c.holds(&at, b"token").await?;
        on_b.evicts_sessions(by_app(setup.now())).await?;
        for server in [&on_a, &on_b, &on_c] {
            server
                .read(&at)
                .await
                .should_be_signed_out("a read after the sign-out")?;
            server.is_gone(&session_id).await?;
        }
    }
    Ok(())
}

/// Every server reads at once what another has written.
pub(crate) async fn a_write_is_seen_by_every_server_at_once(
    setup: &Setup,
) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let here = setup.account()?;
    let there = here.through(&*there);
    let at = here.entry(&here.signs_in().await?)?;
    for n in 0..20_u8 {
        here.puts(&at, &[n, 0]).await?;
        there.holds(&at, &[n, 0]).await?;
        there.puts(&at, &[n, 1]).await?;
        here.holds(&at, &[n, 1]).await?;
    }
    here.store.remove(&at).await.should_work("a removal")?;
    there.misses(&at).await
}

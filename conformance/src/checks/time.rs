//! The store's clock, leases and deadlines, to the millisecond.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use token_cache_core::{
    AcquireOptions, Acquired, EntryAddress, LockOwner, Namespace, RefreshLocks, Timestamp,
};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_equal, should_hold},
    bounds::{Ends, draws_near, landed},
    checks::sid_index::sid_entry,
    random::{self, Dice},
};

const MILLI: Duration = Duration::from_millis(1);

/// The store's clock runs as a clock does, and is as precise as it claims.
pub(crate) async fn the_clock_is_as_precise_as_it_claims(setup: &Setup) -> Result<(), Violation> {
    struct Reading {
        from: Duration,
        until: Duration,
        told: Namespace,
    }
    let began = Instant::now();
    let mut readings: Vec<Reading> = Vec::new();
    while began.elapsed() < Duration::from_millis(150) || readings.len() < 20 {
        let from = began.elapsed();
        let told = setup.clock().await?;
        readings.push(Reading {
            from,
            until: began.elapsed(),
            told,
        });
        tokio::time::sleep(MILLI * 2).await;
    }
    // How far two clocks may drift apart in this time, and the part of a millisecond that is left out.
    let slack = MILLI * 2;
    for (n, first) in readings.iter().enumerate() {
        for second in &readings[n + 1..] {
            let precision = first.told.precision.max(second.told.precision);
            let told = second.told.time.since(first.told.time);
            let least = second.from.saturating_sub(first.until);
            let most = second.until.saturating_sub(first.from);
            should_hold(
                told + precision + slack >= least && told <= most + precision + slack,
                &format!(
                    "between {} and {} ms on a clock that is precise to {} ms",
                    least.as_millis(),
                    most.as_millis(),
                    precision.as_millis()
                ),
                &format!("{} ms", told.as_millis()),
            )?;
        }
    }
    Ok(())
}

pub(crate) async fn take(
    locks: &dyn RefreshLocks,
    at: &EntryAddress,
    owner: LockOwner,
    lease: Duration,
    now: Timestamp,
) -> Result<Acquired, Violation> {
    let options = AcquireOptions::new(owner, lease, now);
    let asked = locks.acquire(at, options).await;
    asked.should_work("asking for a lock")
}

/// A lock is held for its lease, counted from when it was taken or renewed last: not a millisecond less, and free right after.
pub(crate) async fn a_lock_is_held_for_its_lease_to_the_millisecond(
    setup: &Setup,
) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let locks = setup.store();
    let mut rounds = Vec::new();
    for round in 0..6 {
        let lease = Duration::from_millis(40 + dice.below(160) as u64);
        // Every other lock is renewed with another lease, longer or shorter, before the first has run out.
        let renewed = Duration::from_millis(40 + dice.below(160) as u64);
        let at = ada.entry(&session_id)?;
        rounds.push(async move {
            let mint = || LockOwner::mint().should_work("minting an owner");
            let (owner, next) = (mint()?, mint()?);
            let precision = setup.passed().await?.precision;
            let mut taken = landed(setup, take(locks, &at, owner, lease, ada.now)).await?;
            let mut life = lease;
            if round % 2 == 1 {
                taken = landed(setup, take(locks, &at, owner, renewed, ada.now)).await?;
                life = renewed;
            }
            let held = std::mem::replace(&mut taken.answer, Ok(Acquired::Held))?;
            should_equal(&held, &Acquired::Held, "a free lock")?;
            let ends = Ends::of(&taken, life, precision);
            loop {
                let asked = landed(setup, take(locks, &at, next, life, ada.now)).await?;
                let answer = asked.answer.as_ref().map_err(Clone::clone)?;
                let Acquired::Busy(left) = answer else {
                    return ends.check(&asked, false, "a lock that is held for its lease");
                };
                ends.check(&asked, true, "a lock that is free when its lease is over")?;
                // It tells how long to wait: not beyond the lease's end, nor much less.
                let least = ends.from.since(asked.until).saturating_sub(precision);
                let most = ends.until.since(asked.from) + MILLI;
                should_hold(
                    *left + MILLI >= least && *left <= most,
                    &format!("{} to {} ms left", least.as_millis(), most.as_millis()),
                    &format!("{} ms", left.as_millis()),
                )?;
                draws_near(&ends, &asked).await;
            }
        });
    }
    join_all(rounds).await.into_iter().collect()
}

/// A sign-in, and each other request with a `not_after`, is in time until then and too late from then on.
pub(crate) async fn a_request_is_late_to_the_millisecond(setup: &Setup) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let mut rounds = Vec::new();
    for which in ["sign-in", "sid", "issuer"] {
        let wait = Duration::from_millis(30 + dice.below(90) as u64);
        let ada = setup.account()?;
        rounds.push(async move {
            let Namespace {
                time, precision, ..
            } = setup.clock().await?;
            let not_after = time + wait;
            let ends = Ends {
                from: not_after,
                until: not_after
                    + if precision > MILLI {
                        precision * 2
                    } else {
                        MILLI
                    },
            };
            loop {
                let call = async {
                    match which {
                        "sign-in" => {
                            let mut begin = ada.begin_of(ada.record()?);
                            begin.not_after = not_after;
                            let begun = ada.store.begin(&ada.key, begin).await;
                            Ok::<_, Violation>(begun.map(drop))
                        }
                        "sid" => {
                            let mut sid_entry = sid_entry(&ada);
                            sid_entry.not_after = not_after;
                            let sid = random::sid()?;
                            Ok(setup.store().add(&sid, sid_entry).await)
                        }
                        _ => {
                            let (issuer, at) = (ada.key.issuer(), ada.requested());
                            let sid_index = setup.store();
                            Ok(sid_index.check_issuer(issuer, at, not_after).await)
                        }
                    }
                };
                let asked = landed(setup, call).await?;
                let in_time = match asked.answer.as_ref().map_err(Clone::clone)? {
                    Err(error) if error.is_signed_out() => false,
                    Ok(()) => true,
                    Err(error) => {
                        return Err(Violation::new("a sign-in, or a refusal", error.to_string()));
                    }
                };
                ends.check(&asked, in_time, "a sign-in that is in time")?;
                if !in_time {
                    return Ok(());
                }
                draws_near(&ends, &asked).await;
            }
        });
    }
    join_all(rounds).await.into_iter().collect()
}

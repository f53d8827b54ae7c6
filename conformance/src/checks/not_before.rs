//! How long not-before times live, and what ends them.

use std::time::Duration;

use futures_util::future::join_all;
use token_cache_core::{CutoffBound, CutoffTime, NotBeforeOptions};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_equal},
    bounds::{Ends, draws_near, landed},
    checks::sid_index::sid_entry,
    not_before::{Kind, NotBefore},
    random::{self, Dice},
};

const MILLI: Duration = Duration::from_millis(1);

/// A not-before time refuses sign-ins for its lifetime, counted from when it was written, and no longer.
pub(crate) async fn a_not_before_ends_to_the_millisecond(setup: &Setup) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let mut rounds = Vec::new();
    for kind in Kind::ALL {
        for which in 0..3 {
            let life = Duration::from_millis(40 + dice.below(160) as u64);
            // Also with a cutoff time long ago, or far ahead: the lifetime counts from when it was written.
            let at = match which {
                0 => setup.now(),
                1 => setup.now() - Duration::from_secs(7_200),
                _ => setup.now() + Duration::from_secs(7_200),
            };
            let mut not_before = NotBefore::new(setup, kind, at)?;
            if which == 2 {
                not_before.authenticated = setup.now() + Duration::from_secs(7_200);
            }
            rounds.push(async move {
                let precision = setup.passed().await?.precision;
                let written = landed(setup, not_before.signs_out(life)).await?;
                written.answer.as_ref().map_err(Clone::clone)?;
                let ends = Ends::of(&written, life, precision);
                loop {
                    let asked = landed(setup, not_before.refuses_what_it_overtook()).await?;
                    let refuses = *asked.answer.as_ref().map_err(Clone::clone)?;
                    ends.check(
                        &asked,
                        refuses,
                        "a sign-in refused for the lifetime of a not-before time",
                    )?;
                    if !refuses {
                        return Ok(());
                    }
                    draws_near(&ends, &asked).await;
                }
            });
        }
    }
    join_all(rounds).await.into_iter().collect()
}

/// A not-before time that is written again lives for the longer of both lifetimes, and has the later of both cutoff times.
pub(crate) async fn a_later_sign_out_extends_a_not_before(setup: &Setup) -> Result<(), Violation> {
    let (short, long) = (Duration::from_millis(40), Duration::from_secs(900));
    let mut rounds = Vec::new();
    for kind in Kind::ALL {
        // The second cutoff time is the same, earlier or later; and the first or the second lifetime is the longer.
        for (first, second, moment) in [
            (short, long, 0_i8),
            (short, long, -1),
            (short, long, 1),
            (long, short, 0),
            (long, short, 1),
        ] {
            let not_before = NotBefore::new(setup, kind, setup.now())?;
            rounds.push(async move {
                let landed_first = landed(setup, not_before.signs_out(first)).await?;
                landed_first.answer?;
                let (at, authenticated) = match moment {
                    0 => (not_before.at, not_before.authenticated),
                    1 => (not_before.at + MILLI, not_before.authenticated + MILLI),
                    _ => (not_before.at - MILLI, not_before.authenticated - MILLI),
                };
                let signs_out = not_before.signs_out_at(at, authenticated, second);
                let landed_second = landed(setup, signs_out).await?;
                landed_second.answer?;
                let written = setup.clock().await?;
                let over = written.time + written.precision + short + MILLI;
                setup.until(over).await?;
                // On a busy machine, the first may have ended before the second landed. Then only the second counts.
                let met = landed_second.until <= landed_first.from + first;
                let (at, authenticated) = if moment == -1 && met {
                    (not_before.at, not_before.authenticated)
                } else {
                    (at, authenticated)
                };
                let refused = not_before.refuses(at, authenticated).await?;
                should_equal(
                    &refused,
                    &true,
                    &format!(
                        "whether a sign-in is refused after two sign-outs, of {} and {} ms ({kind:?})",
                        first.as_millis(),
                        second.as_millis()
                    ),
                )
            });
        }
    }
    join_all(rounds).await.into_iter().collect()
}

/// A not-before time stays when newer sign-ins come, and refuses the older ones afterwards as it did before.
pub(crate) async fn a_newer_sign_in_clears_no_not_before(setup: &Setup) -> Result<(), Violation> {
    for kind in Kind::ALL {
        let not_before = NotBefore::new(setup, kind, setup.now())?;
        not_before.signs_out(Duration::from_secs(900)).await?;
        for _ in 0..3 {
            not_before.is_passed_by_a_newer_one().await?;
            let refused = not_before.refuses_what_it_overtook().await?;
            should_equal(
                &refused,
                &true,
                &format!("whether a not-before time refuses after a newer sign-in ({kind:?})"),
            )?;
        }
    }
    Ok(())
}

/// A `sid` that has ended forever stays ended when its other not-before time ends. A not-before time of a `sid` lives at least as long
/// as the index entry beside it.
pub(crate) async fn a_sid_ended_forever_outlives_its_other_not_before_time(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let (short, long) = (Duration::from_millis(30), Duration::from_secs(900));
    let moment = CutoffBound::Time(CutoffTime::on_store_clock(setup.now()));
    let (entered, bare) = (true, false);
    let mut rounds = Vec::new();
    for (cuts, known) in [
        (vec![(CutoffBound::Forever, long), (moment, short)], bare),
        (vec![(moment, short), (CutoffBound::Forever, long)], bare),
        (
            vec![(CutoffBound::Forever, long), (CutoffBound::Forever, short)],
            bare,
        ),
        (
            vec![(CutoffBound::Forever, short), (CutoffBound::Forever, long)],
            bare,
        ),
        (vec![(CutoffBound::Forever, short)], entered),
        (vec![(moment, short)], entered),
        (
            vec![(CutoffBound::Forever, short), (moment, short)],
            entered,
        ),
    ] {
        let (sid, ada) = (random::sid()?, setup.account()?);
        rounds.push(async move {
            if known {
                let added = sid_index.add(&sid, sid_entry(&ada)).await;
                added.should_work("entering a `sid`")?;
            }
            let forever = cuts.iter().any(|(bound, _)| *bound == CutoffBound::Forever);
            for (bound, life) in cuts {
                let cut = sid_index
                    .set_sid_not_before(&sid, bound, NotBeforeOptions::lifetime(life))
                    .await;
                cut.should_work("setting the not-before time of a `sid`")?;
            }
            let written = setup.clock().await?;
            let over = written.time + written.precision + short + MILLI * 5;
            setup.until(over).await?;
            let mut late = sid_entry(&ada);
            if forever {
                late.requested_at = setup.now() + long;
            }
            let added = sid_index.add(&sid, late).await;
            added.should_be_signed_out("a sign-in under a `sid` that was signed out")
        });
    }
    join_all(rounds).await.into_iter().collect()
}

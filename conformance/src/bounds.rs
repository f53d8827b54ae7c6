//! Bounds of time, from both sides.
//!
//! A check does not know when its request landed, only that it was between two readings of the store's clock. So it calls an
//! answer wrong when it is wrong for every time between the two.

use std::time::Duration;

use token_cache_core::{Namespace, Timestamp};

use crate::{Setup, Violation};

const MILLI: Duration = Duration::from_millis(1);

/// How much later than asked for something may end in a store whose clock is coarse. Such a store does not know when a request lands
/// and adds the time that a request may take: what ends late refuses more, and lets nothing through.
pub(crate) fn slack(precision: Duration) -> Duration {
    if precision > MILLI {
        precision * 2 + Duration::from_secs(30)
    } else {
        Duration::ZERO
    }
}

/// The answer of a call, and two times on the store's clock: the call landed at or after `from`, and before `until`.
pub(crate) struct Landed<T> {
    pub(crate) answer: T,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

pub(crate) async fn landed<T>(
    setup: &Setup,
    call: impl Future<Output = T>,
) -> Result<Landed<T>, Violation> {
    let from = setup.passed().await?.time;
    let answer = call.await;
    let Namespace {
        time, precision, ..
    } = setup.passed().await?;
    Ok(Landed {
        answer,
        from,
        until: time + precision,
    })
}

/// When something ends that lasts `life` from when it landed: at `from` at the earliest, and at `until` at the latest.
pub(crate) struct Ends {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Ends {
    pub(crate) fn of<T>(landed: &Landed<T>, life: Duration, precision: Duration) -> Self {
        Self {
            from: landed.from + life,
            until: landed.until + life + slack(precision),
        }
    }

    /// Checks the answer `lasts` of a call that landed then.
    pub(crate) fn check<T>(
        &self,
        asked: &Landed<T>,
        lasts: bool,
        what: &str,
    ) -> Result<(), Violation> {
        let early = !lasts && asked.until <= self.from;
        let late = lasts && asked.from >= self.until;
        if !early && !late {
            return Ok(());
        }
        let by = if early {
            self.from.since(asked.until) + MILLI
        } else {
            asked.from.since(self.until)
        };
        Err(Violation::new(
            format!("{what}, to the millisecond"),
            format!(
                "it ended {} ms too {}, or more",
                by.as_millis(),
                if early { "early" } else { "late" }
            ),
        ))
    }
}

/// Waits before something that ends is asked for again: half of what is left, and close to the end not at all.
pub(crate) async fn draws_near<T>(ends: &Ends, asked: &Landed<T>) {
    let left = ends.from.since(asked.until);
    if left > MILLI * 8 {
        tokio::time::sleep(left / 2).await;
    } else if asked.from > ends.from + MILLI * 50 {
        tokio::time::sleep(MILLI * 50).await;
    } else {
        tokio::task::yield_now().await;
    }
}

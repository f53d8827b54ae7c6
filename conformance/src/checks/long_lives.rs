//! Lifetimes of half an hour, and of a month.

use std::time::Duration;

use token_cache_core::{
    Acquired, CutoffBound, Entry, EntryAddress, LockOwner, Namespace, NotBeforeOptions, PutMode,
    SessionId, SidKey, Timestamp, Version,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, Amend},
    assertions::{Assertions, should_equal},
    bounds::{Ends, landed, slack},
    checks::{sid_index::sid_entry, time::take},
    not_before::{Kind, NotBefore},
    random::{self, Dice},
};

const MILLI: Duration = Duration::from_millis(1);

const MINUTE: Duration = Duration::from_secs(60);

const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Not-before times and a lock with the same lifetime, written at about the same time.
struct Living<'a> {
    setup: &'a Setup,
    life: Duration,
    began: Timestamp,
    not_before_times: Vec<NotBefore<'a>>,
    lock: EntryAddress,
    written: Namespace,
}

impl<'a> Living<'a> {
    async fn write(setup: &'a Setup, life: Duration) -> Result<Self, Violation> {
        let began = setup.passed().await?.time;
        let mut not_before_times = Vec::new();
        for kind in Kind::ALL {
            for (at, lives) in [
                (setup.now(), vec![life]),
                (setup.now() - life * 3, vec![life]),
                (setup.now() + life * 3, vec![life]),
                (setup.now(), vec![life / 8, life]),
            ] {
                let not_before = NotBefore::new(setup, kind, at)?;
                for life in lives {
                    not_before.signs_out(life).await?;
                }
                if !matches!(kind, Kind::Sid | Kind::Forever) {
                    // The newer sign-in clears no not-before time. (Under a `sid`, its index entry would let the
                    // not-before time live longer.)
                    not_before.is_passed_by_a_newer_one().await?;
                }
                not_before_times.push(not_before);
            }
        }
        let ada = setup.account()?;
        let at = ada.entry(&ada.signs_in().await?)?;
        let owner = LockOwner::mint().should_work("minting an owner")?;
        let taken = take(setup.store(), &at, owner, life, ada.now).await?;
        should_equal(&taken, &Acquired::Held, "a free lock")?;
        Ok(Self {
            setup,
            life,
            began,
            not_before_times,
            lock: at,
            written: setup.passed().await?,
        })
    }

    /// Each of them lasts, or is over; what may have changed between two readings of the clock is let pass.
    async fn all_last(&mut self, lasts: bool) -> Result<(), Violation> {
        let Namespace {
            time, precision, ..
        } = self.written;
        let ends = Ends {
            from: self.began + self.life,
            until: time + precision + self.life + slack(precision),
        };
        for not_before in std::mem::take(&mut self.not_before_times) {
            let asked = landed(self.setup, not_before.refuses_what_it_overtook()).await?;
            let refused = *asked.answer.as_ref().map_err(Clone::clone)?;
            if refused != lasts {
                let life = self.life.as_secs();
                let what = format!("a sign-in refused for {life} s ({:?})", not_before.kind);
                ends.check(&asked, refused, &what)?;
            }
            // At a slow store, a not-before time may end before it is first asked for. The sign-in that is then accepted may bring
            // the not-before time of a `sid` back.
            if refused {
                self.not_before_times.push(not_before);
            }
        }
        let (locks, at) = (self.setup.store(), &self.lock);
        let other = LockOwner::mint().should_work("minting an owner")?;
        let ask = take(locks, at, other, MILLI, self.setup.now());
        let asked = landed(self.setup, ask).await?;
        let busy = asked.answer.as_ref().map_err(Clone::clone)?;
        let busy = matches!(busy, Acquired::Busy(_));
        ends.check(&asked, busy, "a lock that is held for its lease")?;
        Ok(())
    }
}

/// A not-before time and a lock with a lifetime of half an hour last until it is over, and not longer.
///
/// A harness that cannot let time pass has the check wait a minute.
pub(crate) async fn a_not_before_time_of_half_an_hour_lives_to_its_end(
    setup: &Setup,
) -> Result<(), Violation> {
    let moves = setup.let_time_pass(Duration::ZERO).await?;
    let last = Duration::from_secs(2);
    let almost = if moves {
        MINUTE * (30 + Dice::new()?.number(20))
    } else {
        MINUTE
    };
    let mut living = Living::write(setup, almost + last).await?;
    let written = living.written;
    if moves {
        setup.let_time_pass(almost).await?;
    } else {
        setup.until(written.time + almost).await?;
    }
    living.all_last(true).await?;
    let over = last + Duration::from_secs(1) + written.precision + slack(written.precision);
    if moves {
        setup.let_time_pass(over).await?;
    } else {
        setup.until(written.time + almost + over).await?;
    }
    living.all_last(false).await
}

/// A session of a month and what belongs to it.
struct Month<'a> {
    ada: AccountDriver<'a>,
    session_id: SessionId,
    at: EntryAddress,
    sid: SidKey,
}

impl<'a> Month<'a> {
    async fn begin(setup: &'a Setup) -> Result<Self, Violation> {
        let ada = setup.account()?;
        let ends_at = ada.now + MONTH;
        let session_id = ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
        let at = ada.entry(&session_id)?;
        let version = Version::mint().should_work("minting a version")?;
        let entry = Entry::new(*b"a month", version, ends_at);
        let written = ada.write_entry(&at, entry, PutMode::Overwrite).await;
        let _ = written.should_work("a write")?;
        let sid = random::sid()?;
        let mut sid_entry = sid_entry(&ada);
        sid_entry.ends_at = ends_at;
        let added = setup.store().add(&sid, sid_entry).await;
        added.should_work("entering a `sid`")?;
        // A short session that comes later takes nothing along.
        let short = ada.record()?.ending_at(ada.now + Duration::from_secs(5));
        ada.signs_in_as(short).await?;
        Ok(Self {
            ada,
            session_id,
            at,
            sid,
        })
    }

    async fn lives(&self, setup: &Setup) -> Result<(), Violation> {
        let ends_at = self.ada.now + MONTH;
        let now = setup.clock().await?.time.min(ends_at - MILLI);
        let later = self.ada.at_moment(now);
        later.lives(&self.session_id).await?;
        later.holds(&self.at, b"a month").await?;
        let sid_index = setup.store();
        let cut = sid_index
            .set_sid_not_before(&self.sid, CutoffBound::Forever, NotBeforeOptions::default())
            .await;
        let found = cut
            .should_work("setting the not-before time of a `sid`")?
            .accounts;
        should_equal(&found, &vec![self.ada.key], "the account under the `sid`")
    }
}

/// A session of a month, its entry, and its entry in the sid index last until the month is over.
pub(crate) async fn a_session_of_a_month_lives_to_its_end(setup: &Setup) -> Result<(), Violation> {
    let month = Month::begin(setup).await?;
    month.lives(setup).await?;
    setup
        .let_time_pass(MONTH.saturating_sub(MINUTE * 2))
        .await?;
    month.lives(setup).await
}

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    BootInstant, BootTime, CopyFigures, Holder,
    copies::Copies,
    partition::{EntryCopy, Filling, Mark, SessionCopy},
    policy::CopyTerms,
};
use crate::{
    AccountKey, Entry, EntryAddress, Invalidation, Result, SessionId, SessionRecord, Timestamp,
    telemetry::{self, CopyRead},
};

/// How often copies that have died of age are looked for.
const PERIOD: Duration = Duration::from_secs(1);

/// How many accounts are looked at before others have their turn on this thread.
const AT_ONCE: usize = 1_024;

/// The copies, and the right to serve them.
#[derive(Debug)]
pub(super) struct Keeper {
    copies: Copies,
    holder: Arc<Holder>,
    clock: Arc<dyn BootTime>,
    max_age: Duration,
    sweeps: AtomicBool,
}

impl Keeper {
    pub(super) fn new(
        terms: &CopyTerms,
        holder: Arc<Holder>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        Ok(Self {
            copies: Copies::new(terms)?,
            holder,
            clock,
            max_age: terms.max_age,
            sweeps: AtomicBool::new(false),
        })
    }

    pub(super) fn entry(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        let found = self.look_for_entry(at, now);
        telemetry::copy_read(read_of(&found));
        found.ok()
    }

    pub(super) fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Option<SessionRecord> {
        let found = self.look_for_session(account, session_id, now);
        telemetry::copy_read(read_of(&found));
        found.ok()
    }

    fn look_for_entry(&self, at: &EntryAddress, now: Timestamp) -> Result<Entry, Absent> {
        let partition = self.copies.of(at.account()).ok_or(Absent::Missing)?;
        let copy = partition.entry(at).ok_or(Absent::Missing)?;
        let session = partition.session(at.session_id());
        let is_over = session.is_some_and(|session| session.record.is_over(now));
        if is_over || copy.entry.is_expired(now) {
            return Err(Absent::Lapsed);
        }
        let entry = copy.entry.clone();
        self.if_it_may_serve(at.account(), copy.mark, entry)
    }

    fn look_for_session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Result<SessionRecord, Absent> {
        let partition = self.copies.of(account).ok_or(Absent::Missing)?;
        let copy = partition.session(session_id).ok_or(Absent::Missing)?;
        if copy.record.is_over(now) {
            return Err(Absent::Lapsed);
        }
        let record = copy.record.clone();
        self.if_it_may_serve(account, copy.mark, record)
    }

    /// The copy, which was taken out already: nothing comes between the check and the answer.
    fn if_it_may_serve<T>(&self, account: &AccountKey, mark: Mark, copy: T) -> Result<T, Absent> {
        if self.may_serve(account, mark) {
            Ok(copy)
        } else {
            Err(Absent::Lapsed)
        }
    }

    /// What a read of an account is marked with that is sent now.
    pub(super) fn mark(&self, account: &AccountKey) -> Mark {
        Mark {
            stamp: self.holder.stamp(account),
            dies_at: self.clock.now() + self.max_age,
        }
    }

    /// Whether a copy with this mark may be served. The clock is read last: a server that was suspended before finds the lease
    /// run out.
    pub(super) fn may_serve(&self, account: &AccountKey, mark: Mark) -> bool {
        let mut now = BootInstant::default();
        let asked = || {
            now = self.clock.now();
            now
        };
        self.holder.may_serve(account, mark.stamp, asked) && now < mark.dies_at
    }

    pub(super) fn fill_entry(self: &Arc<Self>, at: &EntryAddress, entry: &Entry, mark: Mark) {
        let copy = EntryCopy {
            session_id: *at.session_id(),
            name: *at.name(),
            entry: entry.clone(),
            needs_ticket_secret: at.secret().is_some(),
            mark,
        };
        self.fill(at.account(), Filling::Entry(copy));
    }

    pub(super) fn fill_session(
        self: &Arc<Self>,
        account: &AccountKey,
        record: &SessionRecord,
        mark: Mark,
    ) {
        let record = record.clone();
        self.fill(account, Filling::Session(SessionCopy { record, mark }));
    }

    fn fill(self: &Arc<Self>, account: &AccountKey, filling: Filling) {
        let (mark, now) = (filling.mark(), self.clock.now());
        let may_be_served = || self.may_serve(account, mark);
        if self.copies.fill(account, filling, now, may_be_served) {
            telemetry::copy_filled();
            self.sweep();
        }
    }

    /// Has copies go, and whatever a read that is under way would leave.
    pub(super) fn forget(&self, what: &Invalidation) {
        self.holder.invalidate(what);
        self.remove(what);
    }

    /// Has copies go, when the holder has been told.
    pub(super) fn remove(&self, what: &Invalidation) {
        self.copies.remove(what);
    }

    pub(super) fn holder(&self) -> &Arc<Holder> {
        &self.holder
    }

    pub(super) fn lease_left(&self) -> Duration {
        let until = self.holder.lease_until().unwrap_or_default();
        until.since(self.clock.now())
    }

    pub(super) fn figures(&self) -> CopyFigures {
        self.copies.figures()
    }

    /// Has what is dead go although nobody asks for it, in a task of this runtime, for as long as there is a store: a token is wiped
    /// within seconds of its copy's death.
    fn sweep(self: &Arc<Self>) {
        if self.sweeps.load(Ordering::Relaxed) || self.sweeps.swap(true, Ordering::AcqRel) {
            return;
        }
        let sweeping = Sweeping(Arc::downgrade(self));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                let Some(keeper) = sweeping.0.upgrade() else {
                    return;
                };
                keeper.bury_dead().await;
            }
        });
    }

    async fn bury_dead(&self) {
        let now = self.clock.now();
        for (looked_at, dead) in self.copies.dead_at(now).enumerate() {
            if let Some(account) = dead {
                self.copies.bury(&account, now);
            }
            if looked_at % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        telemetry::copies(|| {
            let figures = self.figures();
            (figures.copies, figures.bytes)
        });
    }
}

/// The task that sweeps.
struct Sweeping(std::sync::Weak<Keeper>);

impl Drop for Sweeping {
    /// The runtime may have ended under it, and the store be used in another.
    fn drop(&mut self) {
        if let Some(keeper) = self.0.upgrade() {
            keeper.sweeps.store(false, Ordering::Release);
        }
    }
}

/// Why no copy is served.
enum Absent {
    Missing,
    /// There is one, which is dead.
    Lapsed,
}

fn read_of<T>(found: &Result<T, Absent>) -> CopyRead {
    match found {
        Ok(_) => CopyRead::Hit,
        Err(Absent::Missing) => CopyRead::Miss,
        Err(Absent::Lapsed) => CopyRead::Lapsed,
    }
}

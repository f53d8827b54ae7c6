use std::collections::HashMap;

use crate::{
    AcquireOptions, Acquired, Entry, EntryAddress, EntryName, LockOwner, SessionId, Timestamp,
};

/// The refresh locks of one account, for a store in the memory of one process. Its methods are the steps of
/// [`RefreshLocks`](crate::RefreshLocks). The caller makes each step atomic, for example with a lock.
#[derive(Debug, Default)]
pub struct LockTable(HashMap<(SessionId, EntryName), Lock>);

#[derive(Debug)]
struct Lock {
    owner: LockOwner,
    until: Timestamp,
}

impl LockTable {
    /// Takes or renews the lock of the entry at `at`, as [`RefreshLocks::acquire`](crate::RefreshLocks::acquire) does. `entry` is the stored
    /// entry, if there is one, and `now` the time on the store's own clock.
    pub fn acquire(
        &mut self,
        at: &EntryAddress,
        options: &AcquireOptions,
        entry: Option<Entry>,
        now: Timestamp,
    ) -> Acquired {
        match entry {
            Some(entry) if options.seen != Some(entry.version()) => {
                return Acquired::Fresher(entry);
            }
            _ => {}
        }
        let (owner, until) = (options.owner, now + options.lease);
        let name = (*at.session_id(), *at.name());
        let lock = self.0.entry(name).or_insert(Lock { owner, until });
        if lock.owner != owner && now < lock.until {
            return Acquired::Busy(lock.until.since(now));
        }
        *lock = Lock { owner, until };
        Acquired::Held
    }

    /// Releases the lock of the entry at `at`, if `owner` holds it.
    pub fn release(&mut self, at: &EntryAddress, owner: &LockOwner) {
        let name = (*at.session_id(), *at.name());
        let lock = self.0.get(&name);
        if lock.is_some_and(|lock| lock.owner == *owner) {
            self.0.remove(&name);
        }
    }

    /// Removes the locks of a session that has ended.
    pub fn forget(&mut self, session_id: &SessionId) {
        self.0.retain(|(session, _), _| session != session_id);
    }
}

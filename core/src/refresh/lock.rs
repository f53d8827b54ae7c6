use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    AcquireOptions, Acquired, EntryKey, EvictOptions, LockOwner, Result, Session, Version,
    store::backend::backoff,
};

/// The first pause of a caller that waits for another server's lock.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The refresh lock of one entry, for one owner. Without locks in the store, only the version of the entry orders the writes.
pub(super) struct Lock {
    session: Session,
    key: EntryKey,
    owner: LockOwner,
    lease: Duration,
}

impl Lock {
    pub(super) fn of(session: Session, key: EntryKey, lease: Duration) -> Result<Self> {
        Ok(Self {
            session,
            key,
            owner: LockOwner::mint()?,
            lease,
        })
    }

    /// Returns the owner, or `None` if the store has no locks that a write could release.
    pub(super) fn owner(&self) -> Option<LockOwner> {
        let store = self.session.cache().store();
        store.refresh_locks().map(|_| self.owner)
    }

    /// Takes or renews the lock, while the entry has the version `seen`. Also returns when the request was sent: the lease does not
    /// start earlier.
    pub(super) async fn acquire(&self, seen: Option<Version>) -> Result<(Acquired, Instant)> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let sent = Instant::now();
        let store = self.session.cache().store();
        let acquired = if let Some(locks) = store.refresh_locks() {
            let mut options = AcquireOptions::new(self.owner, self.lease, keys.latest);
            options.seen = seen;
            let path = self.session.cache().path();
            path.acquire(locks, &at, self.session.secret(), options)
                .await?
        } else {
            match self.session.read_entry(&keys, &self.key).await? {
                Some(entry) if Some(entry.version()) != seen => Acquired::Fresher(entry),
                _ => Acquired::Held,
            }
        };
        Ok((acquired, sent))
    }

    /// Takes the lock again, for the version that is about to be sent: on some stores, a new version releases the lock, also one
    /// by its owner. Returns `false` if the entry has another version, or if others hold the lock for a whole lease.
    pub(super) async fn keep(&self, version: Option<Version>) -> Result<bool> {
        let until = Instant::now() + self.lease;
        let mut attempt = 0;
        while Instant::now() < until {
            match self.acquire(version).await? {
                (Acquired::Held, _) => return Ok(true),
                (Acquired::Fresher(_), _) => return Ok(false),
                (Acquired::Busy(left), _) => {
                    time::sleep(backoff(POLL, attempt).min(left)).await;
                    attempt += 1;
                }
            }
        }
        Ok(false)
    }

    /// Takes the lock again for the version that its owner has just written, because a new version releases it on some stores.
    /// Tries once: another server may have taken it first.
    pub(super) async fn follow(&self, version: Version) {
        if self.owner().is_some() {
            let _ = self.acquire(Some(version)).await;
        }
    }

    /// Releases the lock. If that fails, it expires with its lease.
    pub(super) async fn release(&self) {
        let Ok(keys) = self.session.fresh_keys().await else {
            return;
        };
        let at = self.session.address(&keys, &self.key);
        if let Some(locks) = self.session.cache().store().refresh_locks() {
            let _ = locks.release(&at, &self.owner).await;
        }
    }

    /// Ends the session if the entry still has the version whose refresh token was sent. Returns `false` if it has another
    /// version. A store without locks cannot do this in one step, so a put in between may be lost with the session.
    pub(super) async fn end_session_if(&self, version: Version) -> Result<bool> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let options = EvictOptions::at(keys.latest);
        let store = self.session.cache().store();
        if let Some(locks) = store.refresh_locks() {
            let path = self.session.cache().path();
            return path.end_if_version(locks, &at, version, options).await;
        }
        let entry = self.session.read_entry(&keys, &self.key).await?;
        if entry.is_none_or(|entry| entry.version() != version) {
            return Ok(false);
        }
        Box::pin(self.session.sign_out()).await.map(|_| true)
    }
}

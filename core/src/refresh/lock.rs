use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    AcquireOptions, Acquired, EntryKey, EvictOptions, LockOwner, Result, Session, Version,
    store::backend::backoff,
};

/// The first pause of a caller that waits for another server's lock.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The refresh lock of one entry, for one owner.
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

    pub(super) fn owner(&self) -> LockOwner {
        self.owner
    }

    /// Takes or renews the lock, while the entry has the version `seen`. Also returns when the request was sent: the lease does not
    /// start earlier.
    pub(super) async fn acquire(&self, seen: Option<Version>) -> Result<(Acquired, Instant)> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let sent = Instant::now();
        let mut options = AcquireOptions::new(self.owner, self.lease, keys.latest);
        options.seen = seen;
        let path = self.session.cache().path();
        let acquired = path.acquire(&at, self.session.secret(), options).await?;
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
        let _ = self.acquire(Some(version)).await;
    }

    /// Releases the lock. If that fails, it expires with its lease.
    pub(super) async fn release(&self) {
        let Ok(keys) = self.session.fresh_keys().await else {
            return;
        };
        let at = self.session.address(&keys, &self.key);
        let store = self.session.cache().store();
        let _ = store.release(&at, &self.owner).await;
    }

    /// Ends the session if the entry still has the version whose refresh token was sent. Returns `false` if it has another
    /// version.
    pub(super) async fn end_session_if(&self, version: Version) -> Result<bool> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let options = EvictOptions::at(keys.latest);
        let path = self.session.cache().path();
        path.end_if_version(&at, version, options).await
    }
}

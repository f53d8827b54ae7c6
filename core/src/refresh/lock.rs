use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    AcquireOptions, Acquired, EntryKey, EvictOptions, LockOwner, ReadOptions, Result, Session,
    Version, backend::backoff,
};

/// The first pause of whoever waits for another to free a lock.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// A refresh lock of one entry, and who wants it. A store that has no locks leaves the fence of the version alone.
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

    /// The owner, where a write can release the lock.
    pub(super) fn owner(&self) -> Option<LockOwner> {
        let store = self.session.cache().store();
        store.refresh_locks().map(|_| self.owner)
    }

    /// Takes or renews it, while the entry is the version that was seen. Answers also from which moment on the lease runs, at
    /// the latest.
    pub(super) async fn acquire(&self, seen: Option<Version>) -> Result<(Acquired, Instant)> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let sent = Instant::now();
        let store = self.session.cache().store();
        let acquired = if let Some(locks) = store.refresh_locks() {
            let mut options = AcquireOptions::new(self.owner, self.lease, keys.latest);
            options.seen = seen;
            locks.acquire(&at, options).await?
        } else {
            match store.read(&at, ReadOptions::at(keys.latest)).await? {
                Some(entry) if Some(entry.version()) != seen => Acquired::Fresher(entry),
                _ => Acquired::Held,
            }
        };
        Ok((acquired, sent))
    }

    /// Takes it again, for the version that is about to be sent: one of the holder's own frees it on some stores. False
    /// where another version is there, or others hold it for a lease.
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

    /// Takes it again for the version that its holder has just written, which frees it on some stores. Tried once: whoever was
    /// faster has it.
    pub(super) async fn follow(&self, version: Version) {
        if self.owner().is_some() {
            let _ = self.acquire(Some(version)).await;
        }
    }

    /// Gives it back. Where that fails, its lease ends it.
    pub(super) async fn release(&self) {
        let Ok(keys) = self.session.fresh_keys().await else {
            return;
        };
        let at = self.session.address(&keys, &self.key);
        if let Some(locks) = self.session.cache().store().refresh_locks() {
            let _ = locks.release(&at, &self.owner).await;
        }
    }

    /// Ends the session if the entry still is the version whose refresh token was sent; false where it is another. A store
    /// without locks can't do it in one step, so a put in between may end with the session there.
    pub(super) async fn end_session_if(&self, version: Version) -> Result<bool> {
        let keys = self.session.fresh_keys().await?;
        let at = self.session.address(&keys, &self.key);
        let options = EvictOptions::at(keys.latest);
        let store = self.session.cache().store();
        if let Some(locks) = store.refresh_locks() {
            let ended = locks.end_if_version(&at, version, options).await;
            self.session.cache().tell(at.account());
            return ended;
        }
        let entry = store.read(&at, ReadOptions::at(keys.latest)).await?;
        if entry.is_none_or(|entry| entry.version() != version) {
            return Ok(false);
        }
        Box::pin(self.session.sign_out()).await.map(|_| true)
    }
}

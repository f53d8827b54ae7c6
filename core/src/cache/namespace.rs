use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::{Inner, TokenCache};
use crate::{
    Error, NamespaceRecord, Result, Secret, Timestamp, TokenStore, id_key::IdKey,
    store_clock::StoreClock, telemetry,
};

/// How often a server reads the namespace's record, and the store's clock with it.
const PERIOD: Duration = Duration::from_secs(1);

/// What was read longer ago is read again before it is used: a server that was paused, or cut off, may have missed a new
/// generation, and a sign-out under an old one would end nothing.
const STALE_AFTER: Duration = Duration::from_secs(3);

/// What a server knows of its namespace: the generation, the id key that goes with it, the store's clock.
pub(super) struct NamespaceState {
    known: RwLock<Known>,
    /// Held by whoever reads the record again, so that those who wait share the one request.
    reading: Mutex<()>,
}

struct Known {
    id_key: Arc<IdKey>,
    generation: u64,
    clock: StoreClock,
    read_at: Instant,
    /// Another secret has taken the namespace over.
    usurped: bool,
}

/// What an operation needs: the keys of this moment, and the moment.
pub(crate) struct Keys {
    pub(crate) id_key: Arc<IdKey>,
    pub(crate) generation: u64,
    /// The least that the store's clock can say.
    pub(crate) earliest: Timestamp,
    /// The most that the store's clock can say.
    pub(crate) latest: Timestamp,
}

impl NamespaceState {
    /// Reads the record, or writes the first one, and refuses a secret that is not the namespace's.
    pub(super) async fn open(store: &dyn TokenStore, secret: &Secret) -> Result<Self> {
        let (read, clock, read_at) = read(store).await?;
        let ours = NamespaceRecord::new(0, secret.check());
        let record = match read {
            Some(record) => record,
            None if store.set_namespace(None, &ours).await? => ours,
            // Another server was first.
            None => self::read(store).await?.0.unwrap_or(ours),
        };
        if record.check != ours.check {
            return Err(usurped());
        }
        Ok(Self {
            known: RwLock::new(Known {
                id_key: Arc::new(secret.id_key(record.generation)),
                generation: record.generation,
                clock,
                read_at,
                usurped: false,
            }),
            reading: Mutex::default(),
        })
    }

    /// The keys as they were last read, and read again first where that was too long ago.
    pub(super) async fn fresh_keys(&self, store: &dyn TokenStore, secret: &Secret) -> Result<Keys> {
        if self.is_stale() {
            let asked = Instant::now();
            let _reading = self.reading.lock().await;
            // However long its answer took: what was read after this one asked is as good as what it would read.
            if self.is_stale() && self.read().read_at < asked {
                self.refresh(store, secret).await?;
            }
        }
        self.keys(store)
    }

    fn is_stale(&self) -> bool {
        self.read().read_at.elapsed() > STALE_AFTER
    }

    pub(super) fn keys(&self, store: &dyn TokenStore) -> Result<Keys> {
        let known = self.read();
        if known.usurped {
            return Err(usurped());
        }
        let (earliest, latest) = if let Some(clock) = store.clock() {
            let now = clock.now();
            (now, now)
        } else {
            let now = Instant::now().into_std();
            (known.clock.earliest(now), known.clock.latest(now))
        };
        Ok(Keys {
            id_key: Arc::clone(&known.id_key),
            generation: known.generation,
            earliest,
            latest,
        })
    }

    /// Reads the record once more: a raised generation is adopted, a record that is missing or older is put back as it was
    /// known, and one of another secret ends this server's service.
    async fn refresh(&self, store: &dyn TokenStore, secret: &Secret) -> Result<()> {
        let sent = Instant::now();
        let namespace = store.namespace().await?;
        let put_back = {
            let mut known = self.write();
            known.clock.observe(
                sent.into_std(),
                Instant::now().into_std(),
                namespace.time,
                namespace.precision,
            );
            known.read_at = known.read_at.max(sent);
            let ours = NamespaceRecord::new(known.generation, secret.check());
            match namespace.record {
                Some(record) if record.check != ours.check => {
                    known.usurped = true;
                    None
                }
                Some(record) if record.generation >= ours.generation => {
                    known.adopt(secret, record.generation);
                    None
                }
                older => Some((older, ours)),
            }
        };
        if let Some((older, ours)) = put_back {
            store.set_namespace(older.as_ref(), &ours).await?;
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn adopt(&mut self, secret: &Secret, generation: u64) {
        self.usurped = false;
        if self.generation < generation {
            self.generation = generation;
            self.id_key = Arc::new(secret.id_key(generation));
        }
    }
}

impl TokenCache {
    /// Starts the namespace anew: every session of every account ends, on every server within a second.
    ///
    /// It is what an operator does after a restore from a backup, since the backup holds sessions that were signed out
    /// after it was made. Answers with the new generation.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) where another server changed the record at the same moment; the
    /// store's own failures.
    pub async fn raise_generation(&self) -> Result<u64> {
        let Inner {
            store,
            secret,
            state,
            ..
        } = &*self.0;
        let keys = self.fresh_keys().await?;
        let read = store.namespace().await?;
        let time_of_day = keys.latest.as_millis() / 1_000;
        let current = read
            .record
            .map_or(0, |record| record.generation)
            .max(keys.generation);
        let raised = NamespaceRecord::new(time_of_day.max(current + 1), secret.check());
        if !store.set_namespace(read.record.as_ref(), &raised).await? {
            return Err(
                Error::new(crate::ErrorKind::Unavailable, "raise the generation")
                    .message("another server changed the namespace's record meanwhile; try again"),
            );
        }
        state.write().adopt(secret, raised.generation);
        Ok(raised.generation)
    }
}

/// Watches the namespace for as long as the cache is in use. A read that fails is tried again a period later: what it would
/// have told is known till then.
pub(super) fn watch(cache: &TokenCache) {
    let cache: Weak<Inner> = Arc::downgrade(&cache.0);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            let Some(inner) = cache.upgrade() else { return };
            let _ = inner.state.refresh(&*inner.store, &inner.secret).await;
            telemetry::keys_idle(|| inner.ring.figures());
        }
    });
}

async fn read(store: &dyn TokenStore) -> Result<(Option<NamespaceRecord>, StoreClock, Instant)> {
    let sent = Instant::now();
    let namespace = store.namespace().await?;
    let clock = StoreClock::new(
        sent.into_std(),
        Instant::now().into_std(),
        namespace.time,
        namespace.precision,
    );
    Ok((namespace.record, clock, sent))
}

fn usurped() -> Error {
    Error::config(
        "use the namespace",
        "it belongs to another secret; give every server the same TOKEN_CACHE_SECRET, or this one a prefix of its own",
    )
}

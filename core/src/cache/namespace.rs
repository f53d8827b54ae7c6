use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
    time::Duration,
};

use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use super::{Inner, TokenCache};
use crate::{
    Error, ErrorKind, NamespaceRecord, Result, Secret, Timestamp, TokenStore,
    crypto::id_key::IdKey,
    near_cache::{BootInstant, BootTime, FleetConfig, STALE_AFTER},
    store::store_clock::StoreClock,
    telemetry,
};

/// The interval in which a server reads the namespace's record and the store's clock.
const PERIOD: Duration = Duration::from_secs(1);

/// The number of attempts of a starting server to write the record while other servers write it too.
const TRIES: usize = 10;

/// The state of the namespace as a server knows it: the generation, its id key, and the store's clock.
pub(super) struct NamespaceState {
    known: RwLock<Known>,
    /// Locked while the record is read, so that concurrent callers share one request.
    reading: Mutex<()>,
    /// The longest life of this server's near-cache entries; zero without a near cache.
    near_cache_life: Duration,
    boot: Arc<dyn BootTime>,
    fleet_config: watch::Sender<FleetConfig>,
}

struct Known {
    id_key: Arc<IdKey>,
    generation: u64,
    clock: StoreClock,
    read_at: Instant,
    /// Another secret has replaced this server's in the namespace's record.
    secret_mismatch: bool,
}

/// The keys and the time of one operation.
pub(crate) struct Keys {
    pub(crate) id_key: Arc<IdKey>,
    pub(crate) generation: u64,
    /// The earliest time that the store's clock can show.
    pub(crate) earliest: Timestamp,
    /// The latest time that the store's clock can show.
    pub(crate) latest: Timestamp,
    /// The longest life of a near-cache entry of any server; zero if no server has a near cache.
    pub(crate) longest_near_cache_life: Duration,
}

impl NamespaceState {
    /// Reads the record, or writes the first one, and adds to it how long this server's near-cache entries may live. Refuses a
    /// secret that is not the namespace's.
    pub(super) async fn open(
        store: &dyn TokenStore,
        secret: &Secret,
        near_cache_life: Duration,
        boot: Arc<dyn BootTime>,
    ) -> Result<Self> {
        for _ in 0..TRIES {
            let asked = boot.now();
            let (read, clock, read_at) = read(store).await?;
            let ours = read.unwrap_or(NamespaceRecord::new(0, secret.check()));
            if ours.check != secret.check() {
                return Err(secret_mismatch());
            }
            let ours = ours.with_near_cache(ours.bounded_near_cache_life().max(near_cache_life));
            if read != Some(ours) && !store.set_namespace(read.as_ref(), &ours).await? {
                // Another server wrote the record first.
                continue;
            }
            let fleet_config = FleetConfig::first(ours.longest_near_cache_life, asked, boot.now());
            let (fleet_config, _) = watch::channel(fleet_config);
            return Ok(Self {
                known: RwLock::new(Known {
                    id_key: Arc::new(secret.id_key(ours.generation)),
                    generation: ours.generation,
                    clock,
                    read_at,
                    secret_mismatch: false,
                }),
                reading: Mutex::default(),
                near_cache_life,
                boot,
                fleet_config,
            });
        }
        Err(changed_meanwhile("open the namespace"))
    }

    /// Returns what the record says of near caches, as it was last read.
    pub(super) fn fleet_config(&self) -> &watch::Sender<FleetConfig> {
        &self.fleet_config
    }

    pub(super) fn near_cache_life(&self) -> Duration {
        self.near_cache_life
    }

    /// Returns the keys as they were last read, after a new read if that was too long ago.
    pub(super) async fn fresh_keys(&self, store: &dyn TokenStore, secret: &Secret) -> Result<Keys> {
        if self.is_stale() {
            let (asked, asked_of_boot) = (Instant::now(), self.boot.now());
            let _reading = self.reading.lock().await;
            // A read that was sent after this call began is fresh enough, however long its answer took.
            let is_older =
                self.read().read_at < asked || !self.fleet_config.borrow().is_fresh(asked_of_boot);
            if self.is_stale() && is_older {
                self.refresh(store, secret).await?;
            }
        }
        self.keys(store)
    }

    /// Uses both clocks, because the runtime's can stop while the machine sleeps.
    fn is_stale(&self) -> bool {
        self.read().read_at.elapsed() > STALE_AFTER
            || !self.fleet_config.borrow().is_fresh(self.boot.now())
    }

    pub(super) fn keys(&self, store: &dyn TokenStore) -> Result<Keys> {
        let known = self.read();
        if known.secret_mismatch {
            return Err(secret_mismatch());
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
            longest_near_cache_life: self.fleet_config.borrow().longest,
        })
    }

    /// Reads the record again. A raised generation and the life of near-cache entries are adopted. A record that is missing,
    /// older, or shorter-lived than this server's near cache is written back. A record of another secret stops this server's
    /// service.
    pub(super) async fn refresh(&self, store: &dyn TokenStore, secret: &Secret) -> Result<()> {
        let (sent, asked) = (Instant::now(), self.boot.now());
        let namespace = store.namespace().await?;
        let known = {
            let mut known = self.write();
            known.clock.observe(
                sent.into_std(),
                Instant::now().into_std(),
                namespace.time,
                namespace.precision,
            );
            known.read_at = known.read_at.max(sent);
            NamespaceRecord::new(known.generation, secret.check())
                .with_near_cache(self.fleet_config.borrow().longest)
        };
        let ours = match namespace.record {
            Some(record) if record.check != known.check => {
                self.write().secret_mismatch = true;
                self.agree(asked, record.bounded_near_cache_life(), false);
                return Ok(());
            }
            Some(record) if record.generation >= known.generation => {
                self.write().adopt(secret, record.generation);
                record
            }
            Some(older) => known.with_near_cache(
                known
                    .longest_near_cache_life
                    .max(older.bounded_near_cache_life()),
            ),
            None => known,
        };
        let ours = ours.with_near_cache(ours.bounded_near_cache_life().max(self.near_cache_life));
        let is_there = namespace.record == Some(ours);
        self.agree(asked, ours.longest_near_cache_life, is_there);
        if !is_there
            && store
                .set_namespace(namespace.record.as_ref(), &ours)
                .await?
        {
            self.agree(asked, ours.longest_near_cache_life, true);
        }
        Ok(())
    }

    /// Stores what the record, requested at `asked`, says of near caches, and whether it is what this server needs.
    fn agree(&self, asked: BootInstant, longest: Duration, is_agreed: bool) {
        let now = self.boot.now();
        self.fleet_config
            .send_modify(|fleet_config| fleet_config.note(longest, asked, now, is_agreed));
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
        self.secret_mismatch = false;
        if self.generation < generation {
            self.generation = generation;
            self.id_key = Arc::new(secret.id_key(generation));
        }
    }
}

impl TokenCache {
    /// Ends every session of every account in the namespace, which is all that one fleet of app servers has in a store. Returns the new
    /// generation. Every app server reads it within a second, and can still serve the ended sessions until then. An app server that could
    /// not read it for three seconds returns the errors of the store instead.
    ///
    /// The *generation* is a number from which, with the secret, the keyed hashes of all ids are made. A higher generation changes all
    /// hashes, so no server finds the earlier sessions any more.
    ///
    /// An operator calls it after a restore from a backup. The backup contains sessions that were signed out after it was made.
    ///
    /// # Errors
    /// - [`Unavailable`](crate::ErrorKind::Unavailable) if another server changed the namespace's [record](NamespaceRecord) in the store at
    ///   the same time. Call it again.
    /// - [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    /// - [`Corrupt`](crate::ErrorKind::Corrupt) if the stored generation is `u64::MAX`, the highest possible one. Move every server to a
    ///   new prefix, which is a setting of the store.
    /// - The errors of the store.
    ///
    /// After an error, no user is signed out, unless [`may_have_applied`](crate::Error::may_have_applied) returns `true`.
    pub async fn raise_generation(&self) -> Result<u64> {
        let (store, Inner { secret, state, .. }) = (self.store(), &*self.0);
        let keys = self.fresh_keys().await?;
        let read = store.namespace().await?;
        let is_foreign = |record: NamespaceRecord| record.check != secret.check();
        if read.record.is_some_and(is_foreign) {
            return Err(secret_mismatch());
        }
        // At least the time in seconds, so that no backup has a greater one.
        let seconds = keys.latest.as_millis() / 1_000;
        let current = read
            .record
            .map_or(0, |record| record.generation)
            .max(keys.generation);
        let near_caches = read
            .record
            .map_or(Duration::ZERO, |record| record.bounded_near_cache_life())
            .max(keys.longest_near_cache_life);
        let next = current.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "raise the generation").message(
                "the namespace's record has the highest possible generation, which no server of this release writes, and \
                 nothing was changed; move every server to a new prefix, and delete what is stored under the old one",
            )
        })?;
        let raised =
            NamespaceRecord::new(seconds.max(next), secret.check()).with_near_cache(near_caches);
        if !store.set_namespace(read.record.as_ref(), &raised).await? {
            return Err(changed_meanwhile("raise the generation"));
        }
        state.write().adopt(secret, raised.generation);
        Ok(raised.generation)
    }
}

/// Reads the namespace's record periodically while the cache is in use. After a failed read, the last known record stays in use
/// until the next period.
pub(super) fn watch(cache: &TokenCache) {
    let cache: Weak<Inner> = Arc::downgrade(&cache.0);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            let Some(inner) = cache.upgrade() else { return };
            let _ = inner.state.refresh(inner.path.store(), &inner.secret).await;
            inner.path.near_cache().start();
            telemetry::keys_idle(|| inner.ring.idle_keys());
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

pub(super) fn secret_mismatch() -> Error {
    Error::config(
        "use the namespace",
        "the namespace belongs to another secret; give every server the same TOKEN_CACHE_SECRET, or this one a prefix of its own",
    )
}

pub(super) fn changed_meanwhile(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation)
        .message("another server changed the namespace's record at the same time; try again")
}

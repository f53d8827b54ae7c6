//! The near cache serves entries without a request while no invalidation came and the lease runs, and never otherwise (G1).

mod bounds;
mod builder;
mod cancellation;
mod hits;
mod leases;
mod own_writes;
mod shared_reads;
mod stats;
mod sweep;

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use token_cache_core::{
    AccountKey, Acknowledgement, BackplaneConnection, BeginSession, CutoffTime, Entry,
    EntryAddress, EntryName, EvictOptions, EvictTarget, Invalidation, InvalidationListener,
    InvalidationMessage, IssuerKey, MemoryStore, PutResult, ReadOptions, Secret, ServerId,
    SessionId, SessionRecord, SessionTimes, Timestamp, TokenStore, Version, WriteOptions,
    near_cache::{BootTime, NearCacheSize},
    test_util::{FailingStore, LayeredStore, ManualBootTime, ManualClock},
};
use token_cache_near_cache::{ConnectionNumber, NearCacheConfig, NearCacheLease};

const LEASE: Duration = Duration::from_secs(1);
const MAX_AGE: Duration = Duration::from_secs(60);
const NANO: Duration = Duration::from_nanos(1);

/// A server with a near cache, over a store that counts its requests.
struct Server {
    store: FailingStore,
    near_cache: LayeredStore,
    own_lease: Arc<NearCacheLease>,
    clock: ManualBootTime,
    backplane: Mutex<Option<(ConnectionNumber, Arc<dyn BackplaneConnection>)>>,
}

impl Server {
    /// Returns a server with a backplane connection and a lease.
    async fn new(memory: &MemoryStore) -> Self {
        Self::with(memory, NearCacheConfig::new()).await
    }

    async fn with(memory: &MemoryStore, policy: NearCacheConfig) -> Self {
        let server = Self::without_lease(memory, policy);
        server.connect().await;
        server.renew().await;
        server
    }

    fn without_lease(memory: &MemoryStore, policy: NearCacheConfig) -> Self {
        let store = FailingStore::new(memory.clone());
        let (own_lease, clock) = (Arc::new(NearCacheLease::new()), ManualBootTime::new());
        let time = Arc::new(clock.clone());
        let inner: Arc<dyn TokenStore> = Arc::new(store.clone());
        let member = LayeredStore::member(Arc::clone(&inner), time).unwrap();
        let near_cache = policy.under_lease(member, Arc::clone(&own_lease)).unwrap();
        let near_cache = LayeredStore::with_near_cache(inner, secret(), near_cache);
        Self {
            store,
            near_cache,
            own_lease,
            clock,
            backplane: Mutex::default(),
        }
    }

    async fn connect(&self) {
        let near_cache = self.near_cache.clone();
        let listener = Arc::new(ServerListener(near_cache, ServerId::mint().unwrap()));
        let (backplane, number) = (self.store.backplane().unwrap(), self.own_lease.connecting());
        let connection = backplane.connect(listener.1, listener).await.unwrap();
        self.own_lease.connected(number);
        *self.backplane.lock().unwrap() = Some((number, connection));
    }

    async fn renew(&self) {
        let (number, connection) = self.backplane.lock().unwrap().clone().unwrap();
        let sent = self.clock.now();
        let registry = connection.renew().await.unwrap();
        self.own_lease
            .renewed(number, registry, LEASE, sent, self.clock.now());
    }

    fn requests(&self) -> usize {
        self.store.requests()
    }

    fn size(&self) -> NearCacheSize {
        self.near_cache.near_cache().stats().unwrap().size
    }

    /// Returns an entry of the near cache.
    fn lookup(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        self.near_cache.near_cache().entry(at, now)
    }

    /// Returns the result of a read, and whether it sent a request to the store.
    async fn read(&self, at: &EntryAddress) -> (Option<Entry>, bool) {
        let before = self.requests();
        let read = self.near_cache.read(at, now()).await.unwrap();
        (read, self.requests() > before)
    }

    /// Returns whether a read is a hit.
    async fn hits(&self, at: &EntryAddress) -> bool {
        let (read, asked) = self.read(at).await;
        read.is_some() && !asked
    }

    /// Reads once, so that the near cache has the entry.
    async fn populates(&self, at: &EntryAddress) {
        assert!(self.read(at).await.0.is_some());
        assert!(self.hits(at).await);
    }

    /// Starts a read, and returns after it was sent. Its answer arrives when every task is idle.
    async fn reading(
        &self,
        at: &EntryAddress,
    ) -> tokio::task::JoinHandle<token_cache_core::Result<Option<Entry>>> {
        let before = self.requests();
        self.store.answer_late(Duration::from_secs(1));
        let (near_cache, at) = (self.near_cache.clone(), *at);
        let reading = tokio::spawn(async move { near_cache.read(&at, now()).await });
        while self.requests() == before {
            tokio::task::yield_now().await;
        }
        reading
    }
}

/// Drops the entries that invalidation messages name.
#[derive(Debug)]
struct ServerListener(LayeredStore, ServerId);

impl InvalidationListener for ServerListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.0.forget(&message.what);
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Returns the store's clock, which does not advance.
fn clock() -> ManualClock {
    static CLOCK: OnceLock<ManualClock> = OnceLock::new();
    CLOCK.get_or_init(ManualClock::new).clone()
}

fn moment() -> Timestamp {
    token_cache_core::TimeSource::now(&clock())
}

fn now() -> ReadOptions {
    ReadOptions::at(moment())
}

fn memory() -> MemoryStore {
    MemoryStore::with_clock(clock())
}

fn account(number: u8) -> AccountKey {
    let mut subject = [0; 16];
    subject[..2].copy_from_slice(&[number, number]);
    AccountKey::new(IssuerKey::from_bytes([7; 16]), subject)
}

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// Returns the address of an entry in an account's session.
fn entry(account_number: u8, name: u8) -> EntryAddress {
    let name = EntryName::from_bytes([name; 16]);
    EntryAddress::new(account(account_number), session(account_number), name)
}

async fn begin(store: &dyn TokenStore, number: u8) {
    let times = SessionTimes {
        requested_at: moment(),
        auth_time: moment(),
    };
    let ends_at = moment() + Duration::from_secs(3_600);
    let record = SessionRecord::new(session(number), None, times, ends_at);
    let not_after = moment() + Duration::from_secs(60);
    let begin = BeginSession::new(record, not_after, moment());
    store.begin(&account(number), begin).await.unwrap();
}

async fn put(store: &dyn TokenStore, at: &EntryAddress, value: &[u8]) {
    let ends_at = moment() + Duration::from_secs(3_600);
    let entry = Entry::new(value, Version::mint().unwrap(), ends_at);
    let written = store.write(at, entry, WriteOptions::at(moment())).await;
    assert_eq!(written.unwrap(), PutResult::Stored);
}

/// Returns the secret of all servers.
fn secret() -> &'static Secret {
    static SECRET: OnceLock<Secret> = OnceLock::new();
    SECRET.get_or_init(|| Secret::random().unwrap())
}

/// Returns the store as another server writes it, which has no near cache and publishes nothing.
async fn elsewhere(memory: &MemoryStore) -> LayeredStore {
    let memory = Arc::new(memory.clone());
    LayeredStore::new(memory, secret()).await.unwrap()
}

/// Returns a store with a session and an entry of one account.
async fn signed_in() -> (MemoryStore, EntryAddress) {
    let (memory, at) = (memory(), entry(1, 1));
    begin(&memory, 1).await;
    put(&elsewhere(&memory).await, &at, b"a token").await;
    (memory, at)
}

/// Signs an account out on another server, with an invalidation message.
async fn sign_out_elsewhere(store: &dyn TokenStore, number: u8) {
    let options = EvictOptions::at(moment()).published_by(ServerId::mint().unwrap());
    let target = EvictTarget::Account(CutoffTime::on_store_clock(moment()));
    store
        .evict(&account(number), target, options)
        .await
        .unwrap();
}

async fn publish(store: &dyn TokenStore, number: u8) {
    let what = Invalidation::Accounts(vec![account(number)]);
    store
        .backplane()
        .unwrap()
        .publish(None, what)
        .await
        .unwrap();
}

fn almost(duration: Duration) -> Duration {
    duration.saturating_sub(NANO)
}

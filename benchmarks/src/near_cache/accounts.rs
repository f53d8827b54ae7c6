use std::{sync::Arc, time::Duration};

use token_cache::{
    Entry, MemoryStore, PutResult, Secret, Timestamp, Version,
    near_cache::{NearCacheConfig, NearCacheSize},
    store::{
        AccountKey, BeginSession, EntryAddress, EntryName, IssuerKey, NearCacheLease, ReadOptions,
        SessionId, SessionRecord, SessionTimes, SystemBootTime, SystemClock, TimeSource,
        TokenStore, WriteOptions, test_util::LayeredStore,
    },
};

use crate::Result;

/// Accounts with one entry each, in the memory store, and a server that may keep copies of them.
pub(super) struct Accounts {
    store: LayeredStore,
    pub(super) entries: Vec<EntryAddress>,
    pub(super) now: Timestamp,
}

impl Accounts {
    /// So many accounts, each with an entry of so many bytes.
    pub(super) async fn new(
        accounts: usize,
        bytes: usize,
        policy: NearCacheConfig,
    ) -> Result<Self> {
        let own_lease = Arc::new(NearCacheLease::new());
        own_lease.serve_until_resigned();
        let clock = Arc::new(SystemBootTime::default());
        let inner: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
        let member = LayeredStore::member(Arc::clone(&inner), clock)?;
        let near_cache = policy.under_lease(member, own_lease)?;
        let store = LayeredStore::with_near_cache(inner, &Secret::random()?, near_cache);
        let now = SystemClock::default().now();
        let mut entries = Vec::with_capacity(accounts);
        for _ in 0..accounts {
            let at = EntryAddress::new(
                AccountKey::new(IssuerKey::from_bytes([7; 16]), random()?),
                SessionId::from_bytes(random()?),
                EntryName::from_bytes(random()?),
            );
            sign_in(&store, &at, vec![5; bytes], now).await?;
            entries.push(at);
        }
        Ok(Self {
            store,
            entries,
            now,
        })
    }

    /// Reads every entry once.
    pub(super) async fn read_all(&self) -> Result<()> {
        for at in &self.entries {
            self.read(at).await?;
        }
        Ok(())
    }

    pub(super) async fn read(&self, at: &EntryAddress) -> Result<Entry> {
        let read = self.store.read(at, ReadOptions::at(self.now)).await?;
        Ok(read.ok_or("the entry is gone")?)
    }

    /// Returns the entry if it is a hit.
    pub(super) fn hit(&self, at: &EntryAddress) -> Option<Entry> {
        self.store.near_cache().entry(at, self.now)
    }

    pub(super) fn size(&self) -> NearCacheSize {
        let stats = self.store.near_cache().stats();
        stats.map(|stats| stats.size).unwrap_or_default()
    }
}

/// Begins the session of this entry, and writes it.
pub(super) async fn sign_in(
    store: &dyn TokenStore,
    at: &EntryAddress,
    value: Vec<u8>,
    now: Timestamp,
) -> Result<()> {
    let times = SessionTimes {
        requested_at: now,
        auth_time: now,
    };
    let ends_at = now + Duration::from_secs(3_600);
    let record = SessionRecord::new(*at.session_id(), None, times, ends_at);
    let begin = BeginSession::new(record, now + Duration::from_secs(600), now);
    store.begin(at.account(), begin).await?;
    let entry = Entry::new(value, Version::mint()?, ends_at);
    match store.write(at, entry, WriteOptions::at(now)).await? {
        PutResult::Stored => Ok(()),
        PutResult::PreconditionFailed => Err("an unconditional write was refused".into()),
    }
}

pub(super) fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Returns the accounts in the order in which they are read. Their frequency follows Zipf's law with exponent 1, and the order is the same in
/// every run.
pub(super) fn zipf(accounts: usize, draws: usize) -> Vec<usize> {
    let mut total = 0.0;
    let up_to: Vec<f64> = (1..=accounts)
        .map(|rank| {
            total += share(rank);
            total
        })
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        // Xorshift: any numbers would do that look random.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_precision_loss, reason = "a draw of 53 bits")]
        let draw = (state >> 11) as f64 / (1_u64 << 53) as f64 * total;
        up_to
            .partition_point(|up_to| *up_to < draw)
            .min(accounts - 1)
    })
    .take(draws)
    .collect()
}

/// How busy the account of this rank is, beside the first.
#[expect(clippy::cast_precision_loss, reason = "far fewer ranks than 2^52")]
pub(super) fn share(rank: usize) -> f64 {
    1.0 / rank as f64
}

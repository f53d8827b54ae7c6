use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use token_cache::{
    Error, Secret, TokenCache,
    near_cache::{NearCacheConfig, NearCacheOutcome},
    store::TokenStore,
};

use crate::instrumented_store::InstrumentedStore;

/// How long a server may serve near caches without contact to the store.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// The greatest age of a copy if the store has no backplane. Each sign-out then takes this long.
pub(crate) const MAX_AGE: Duration = Duration::from_millis(500);

/// Opens the cache of one app server, which keeps near caches.
pub(crate) async fn open(
    store: Arc<dyn TokenStore>,
    secret: Secret,
) -> Result<(TokenCache, InstrumentedStore), Error> {
    let policy = match store.backplane() {
        Some(_) => NearCacheConfig::new().lease(LEASE),
        None => NearCacheConfig::new().max_age(MAX_AGE),
    };
    let store = InstrumentedStore::new(store);
    let cache = TokenCache::builder(store.clone())
        .secret(secret)
        .near_cache(policy)
        .open()
        .await?;
    Ok((cache, store))
}

/// The source of a token that a server used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The store that the servers share.
    Store,
    /// Its near cache, without a request to the store.
    NearCache,
}

/// The near cache of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeaseState {
    /// The id of the server in the fleet, or `None` without a backplane.
    pub(crate) id: Option<String>,
    /// `true` if it may serve copies now.
    pub(crate) may_serve: bool,
}

/// The wait of a sign-out for other servers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waited {
    pub(crate) ms: u64,
    /// The servers that did not answer.
    pub(crate) silent: Vec<String>,
}

impl Waited {
    /// Returns `None` if no server keeps copies.
    pub(crate) fn of(gone: &NearCacheOutcome) -> Option<Self> {
        let NearCacheOutcome::Cleared { silent, waited, .. } = gone else {
            return None;
        };
        Some(Self {
            ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            silent: silent.iter().map(ToString::to_string).collect(),
        })
    }
}

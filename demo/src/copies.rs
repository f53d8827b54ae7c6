use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use token_cache::{CopiesGone, Error, Secret, TokenCache, TokenStore, local::CopyPolicy};

use crate::watched_store::WatchedStore;

/// How long a server may serve local copies without hearing of the store.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// How old a copy may be where the store can't tell servers of a sign-out: each sign-out takes so long.
pub(crate) const MAX_AGE: Duration = Duration::from_millis(500);

/// Opens the cache of one app server, which keeps local copies.
pub(crate) async fn open(
    store: Arc<dyn TokenStore>,
    secret: Secret,
) -> Result<(TokenCache, WatchedStore), Error> {
    let policy = match store.link() {
        Some(_) => CopyPolicy::new().lease(LEASE),
        None => CopyPolicy::new().max_age(MAX_AGE),
    };
    let store = WatchedStore::new(store);
    let cache = TokenCache::builder(store.clone())
        .secret(secret)
        .local_copies(policy)
        .open()
        .await?;
    Ok((cache, store))
}

/// Where a server had a token from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The store that the servers share.
    Store,
    /// A copy of its own, without a request to the store.
    OwnCopy,
}

/// A server that keeps copies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// Who it is to the others; none where they have no link.
    pub(crate) id: Option<String>,
    /// Whether it may serve copies at this moment.
    pub(crate) may_serve: bool,
}

/// What a sign-out waited for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waited {
    pub(crate) ms: u64,
    /// Who did not answer.
    pub(crate) silent: Vec<String>,
}

impl Waited {
    /// None where no server keeps copies.
    pub(crate) fn of(gone: &CopiesGone) -> Option<Self> {
        let CopiesGone::Gone { silent, waited, .. } = gone else {
            return None;
        };
        Some(Self {
            ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            silent: silent.iter().map(ToString::to_string).collect(),
        })
    }
}

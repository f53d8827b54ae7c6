use std::{sync::Arc, time::Duration};

use tokio::time;
use url::Url;

use super::{Discovered, FetchError, Http, Key, KeySet, cached::Cached, discovery, set::Found};
use crate::{
    Algorithm, Client, ConfigError,
    client::{KeysFrom, url},
};

/// A provider, as far as it has to be asked for something. One for each client: two of the same issuer may be registered
/// differently.
#[derive(Debug)]
pub(crate) struct Provider {
    keys: Keys,
    end_session: EndSession,
    cooldown: Duration,
    patience: Duration,
}

#[derive(Debug)]
enum Keys {
    Fixed(Arc<KeySet>),
    Fetched(Arc<Cached<KeySet>>),
}

/// Where users sign out. A client whose keys are given has no need of a discovery document, and none is asked for.
#[derive(Debug)]
enum EndSession {
    At(Option<Url>),
    Discovered(Arc<Cached<Discovered>>),
}

/// Why there is no key to verify a message with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyFailure {
    /// The provider publishes none of this name for this algorithm.
    Unknown,
    /// The message names none, and there are several.
    NotNamed,
    /// The provider can't be asked: its message may be good.
    Unavailable(FetchError),
}

impl Provider {
    /// The provider of `client`. A caller waits for its documents for `patience` at most.
    pub(crate) fn of(
        client: &Client,
        http: &Http,
        patience: Duration,
    ) -> Result<Self, ConfigError> {
        let discovered = discovered(&client.issuer, http);
        let keys = match &client.keys {
            KeysFrom::Fixed(json) => {
                let set = KeySet::parse(json.as_bytes()).ok_or_else(|| {
                    ConfigError::new("a client's `keys` are no JWK Set (RFC 7517 section 5)")
                })?;
                Keys::Fixed(Arc::new(set))
            }
            KeysFrom::Uri(address) => {
                let address = url("the JWK Set", address)?;
                let http = http.clone();
                Keys::Fetched(Cached::new(move || {
                    let (http, address) = (http.clone(), address.clone());
                    Box::pin(async move { key_set(&http, address).await })
                }))
            }
            KeysFrom::Discovery => {
                let (discovered, http) = (Arc::clone(&discovered), http.clone());
                Keys::Fetched(Cached::new(move || {
                    let (discovered, http) = (Arc::clone(&discovered), http.clone());
                    Box::pin(async move {
                        let address = discovered.get().await?.jwks_uri.clone();
                        key_set(&http, address).await
                    })
                }))
            }
        };
        let end_session = match &client.end_session_endpoint {
            Some(address) => EndSession::At(Some(url("the end_session_endpoint", address)?)),
            None if client.keys == KeysFrom::Discovery => EndSession::Discovered(discovered),
            None => EndSession::At(None),
        };
        Ok(Self {
            keys,
            end_session,
            cooldown: client.keys_cooldown,
            patience,
        })
    }

    /// Where users sign out at the provider: as the client says, or the provider's discovery document, where there is such a
    /// place.
    pub(crate) async fn end_session_endpoint(&self) -> Result<Option<Url>, FetchError> {
        let discovered = match &self.end_session {
            EndSession::At(endpoint) => return Ok(endpoint.clone()),
            EndSession::Discovered(discovered) => discovered,
        };
        let discovered = time::timeout(self.patience, discovered.get()).await;
        let discovered = discovered.unwrap_or_else(|_| {
            let late = "the provider's discovery document did not come in time";
            Err(FetchError::new(late))
        })?;
        Ok(discovered.end_session_endpoint.clone())
    }

    /// The key that a message names. One that is not known makes the provider be asked again, now and then.
    pub(crate) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<Key>, KeyFailure> {
        let cached = match &self.keys {
            Keys::Fixed(set) => return found(set.find(id, algorithm)),
            Keys::Fetched(cached) => cached,
        };
        let looking = async {
            let set = cached.get().await.map_err(KeyFailure::Unavailable)?;
            match set.find(id, algorithm) {
                Found::Unknown => match cached.newer(&set, self.cooldown).await {
                    Ok(Some(newer)) => found(newer.find(id, algorithm)),
                    Ok(None) => Err(KeyFailure::Unknown),
                    Err(failure) => Err(KeyFailure::Unavailable(failure)),
                },
                other => found(other),
            }
        };
        let late = "the provider's keys did not come in time";
        time::timeout(self.patience, looking)
            .await
            .unwrap_or_else(|_| Err(KeyFailure::Unavailable(FetchError::new(late))))
    }

    /// The key that the provider has put in the place of one that did not verify: under the same id, as one does that makes its
    /// keys when it starts, or without any. It is asked now and then, as for a key that is not known.
    pub(crate) async fn key_after(
        &self,
        tried: &Arc<Key>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<Arc<Key>> {
        let Keys::Fetched(cached) = &self.keys else {
            return None;
        };
        let looking = async {
            let set = cached.get().await.ok()?;
            let newer = match set.find(id, algorithm) {
                Found::Key(key) if !Arc::ptr_eq(&key, tried) => return Some(key),
                _ => cached.newer(&set, self.cooldown).await.ok()??,
            };
            found(newer.find(id, algorithm)).ok()
        };
        time::timeout(self.patience, looking).await.ok()?
    }
}

fn found(found: Found) -> Result<Arc<Key>, KeyFailure> {
    match found {
        Found::Key(key) => Ok(key),
        Found::Unknown => Err(KeyFailure::Unknown),
        Found::Several => Err(KeyFailure::NotNamed),
    }
}

fn discovered(issuer: &str, http: &Http) -> Arc<Cached<Discovered>> {
    let (issuer, http) = (issuer.to_owned(), http.clone());
    Cached::new(move || {
        let (issuer, http) = (issuer.clone(), http.clone());
        Box::pin(async move {
            let address = discovery::address(&issuer)?;
            let json = http.get("discovery document", address).await?;
            Discovered::parse(&issuer, &json)
        })
    })
}

async fn key_set(http: &Http, address: Url) -> Result<KeySet, FetchError> {
    let json = http.get("JWK Set", address).await?;
    KeySet::parse(&json).ok_or_else(|| FetchError::new("the provider's JWK Set is none"))
}

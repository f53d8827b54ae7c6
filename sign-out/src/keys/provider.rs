use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use url::Url;

use super::{
    Discovered, FetchError, Http, Key, KeySet, cached::Cached, discovery, fetch, set::Found,
};
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

/// How long the documents of a provider may take that a message needs: discovery document, keys, and keys again.
pub(crate) const LONGEST: Duration = fetch::TIMEOUT.saturating_mul(3);

/// Where users sign out. A client whose keys are given has no need of a discovery document, and none is asked for.
#[derive(Debug)]
enum EndSession {
    At(Option<Url>),
    Discovered(Arc<Cached<Discovered>>),
}

/// Why a message can't be verified, or is not by the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyFailure {
    /// The provider publishes none of this name for this algorithm.
    Unknown,
    /// The message names none, and there are several.
    NotNamed,
    /// It is signed, and not by the key that it names.
    DoesNotVerify,
    /// The provider can't be asked: its message may be good.
    Unavailable(FetchError),
}

impl Provider {
    /// The provider of `client`. A user who signs out waits for its documents for `patience` at most.
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
                        let until = Instant::now() + fetch::TIMEOUT;
                        let address = discovered.get(until).await?.jwks_uri.clone();
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
        let until = Instant::now() + self.patience;
        let discovered = discovered.get(until).await?;
        Ok(discovered.end_session_endpoint.clone())
    }

    /// Fetches the keys, unless they are at hand.
    pub(crate) async fn fetch_keys(&self) -> Result<(), FetchError> {
        match &self.keys {
            Keys::Fixed(_) => Ok(()),
            Keys::Fetched(cached) => cached.get(Instant::now() + LONGEST).await.map(drop),
        }
    }

    /// Verifies a message by the key that it names: `is_by` tells whether it is signed by that. Waits for documents until then,
    /// all of them together.
    pub(crate) async fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        is_by: impl Fn(&Key) -> bool,
        until: Instant,
    ) -> Result<(), KeyFailure> {
        let key = self.key(id, algorithm, until).await?;
        if is_by(&key) {
            return Ok(());
        }
        match self.key_after(&key, id, algorithm, until).await? {
            Some(newer) if is_by(&newer) => Ok(()),
            _ => Err(KeyFailure::DoesNotVerify),
        }
    }

    /// The key that a message names. One that is not known makes the provider be asked again, now and then.
    async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        until: Instant,
    ) -> Result<Arc<Key>, KeyFailure> {
        let cached = match &self.keys {
            Keys::Fixed(set) => return found(set.find(id, algorithm)),
            Keys::Fetched(cached) => cached,
        };
        let set = cached.get(until).await.map_err(KeyFailure::Unavailable)?;
        match set.find(id, algorithm) {
            Found::Unknown => match cached.newer(&set, self.cooldown, until).await {
                Ok(Some(newer)) => found(newer.find(id, algorithm)),
                Ok(None) => Err(KeyFailure::Unknown),
                Err(failure) => Err(KeyFailure::Unavailable(failure)),
            },
            other => found(other),
        }
    }

    /// The key that the provider has put in the place of one that did not verify: under the same id, as one does that makes its
    /// keys when it starts, or without any. It is asked now and then, as for a key that is not known.
    async fn key_after(
        &self,
        tried: &Arc<Key>,
        id: Option<&str>,
        algorithm: Algorithm,
        until: Instant,
    ) -> Result<Option<Arc<Key>>, KeyFailure> {
        let Keys::Fetched(cached) = &self.keys else {
            return Ok(None);
        };
        let set = cached.get(until).await.map_err(KeyFailure::Unavailable)?;
        if let Found::Key(key) = set.find(id, algorithm)
            && !Arc::ptr_eq(&key, tried)
        {
            return Ok(Some(key));
        }
        let newer = cached.newer(&set, self.cooldown, until).await;
        let newer = newer.map_err(KeyFailure::Unavailable)?;
        Ok(newer.and_then(|newer| found(newer.find(id, algorithm)).ok()))
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

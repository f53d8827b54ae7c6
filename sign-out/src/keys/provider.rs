use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use token_cache_core::telemetry::warn;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{
    Discovered, FetchError, Http, Key, KeySet,
    cached::{Cached, FRESH},
    discovery, fetch,
    set::NoKey,
};
use crate::{
    Algorithm, Client, ConfigError,
    client::{KeysFrom, url},
};

/// A provider, as far as it has to be asked for something. One for each client: two of the same issuer may be registered
/// differently.
#[derive(Debug)]
pub(crate) struct Provider {
    issuer: String,
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

/// How long a provider whose keys cannot be fetched is left alone, at first and at the most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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
    /// It is signed, and by none of the provider's keys that it may be signed with.
    DoesNotVerify,
    /// The provider can't be asked now: its message may be good.
    Unavailable(FetchError),
}

/// A message whose signature is to be verified, as far as keys are concerned.
pub(crate) struct Signed<'a> {
    pub(crate) key_id: Option<&'a str>,
    pub(crate) algorithm: Algorithm,
    /// When it came. What the provider published later may have its key.
    pub(crate) came: Instant,
}

impl Provider {
    /// The provider of `client`. A user who signs out waits for its documents for `patience` at most.
    pub(crate) fn of(
        client: &Client,
        http: &Http,
        patience: Duration,
    ) -> Result<Self, ConfigError> {
        let discovered = discovered(client, http);
        let keys = match &client.keys {
            KeysFrom::Fixed(json) => {
                let set = KeySet::parse(json.as_bytes()).ok_or_else(|| {
                    ConfigError::new("a client's `keys` are no JWK Set (RFC 7517 section 5)")
                })?;
                Keys::Fixed(Arc::new(set))
            }
            KeysFrom::Uri(address) => {
                let address = url("the JWK Set", address)?;
                let (http, issuer) = (http.clone(), client.issuer.clone());
                Keys::Fetched(Cached::new(move || {
                    let (http, address) = (http.clone(), address.clone());
                    let issuer = issuer.clone();
                    Box::pin(async move { key_set(&issuer, &http, address).await })
                }))
            }
            KeysFrom::Discovery => {
                let (discovered, http) = (Arc::clone(&discovered), http.clone());
                let issuer = client.issuer.clone();
                Keys::Fetched(Cached::new(move || {
                    let (discovered, http) = (Arc::clone(&discovered), http.clone());
                    let issuer = issuer.clone();
                    Box::pin(async move {
                        let until = Instant::now() + fetch::TIMEOUT;
                        let address = discovered.get(until).await?.jwks_uri.clone()?;
                        key_set(&issuer, &http, address).await
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
            issuer: client.issuer.clone(),
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

    /// Keeps the keys at hand, so that no message has to wait for them, while `is_needed`. `None` if they are fixed.
    pub(crate) fn keep_keys(
        &self,
        is_needed: impl Fn() -> bool + Send + 'static,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        let Keys::Fetched(cached) = &self.keys else {
            return None;
        };
        let (cached, issuer) = (Arc::clone(cached), self.issuer.clone());
        Some(async move {
            let mut failed: u32 = 0;
            while is_needed() {
                let pause = match cached.get(Instant::now() + LONGEST).await {
                    Ok(_) => {
                        failed = 0;
                        FRESH
                    }
                    Err(error) => {
                        if failed == 0 {
                            warn_of_missing_keys(&issuer, &error);
                        }
                        failed = failed.saturating_add(1);
                        FIRST_PAUSE.saturating_mul(failed).min(LONGEST_PAUSE)
                    }
                };
                sleep(pause).await;
            }
        })
    }

    /// Verifies a message by the keys that it may be signed with: `is_by` tells whether it is signed by one. Waits for documents
    /// until then, all of them together.
    ///
    /// A message that no known key verifies may be signed with a new one: under another id, or under the same, as a provider has
    /// it that makes its keys when it starts. So nothing but keys that were asked for after the message came refuses it.
    pub(crate) async fn verify(
        &self,
        message: &Signed<'_>,
        is_by: impl Fn(&Key) -> bool,
        until: Instant,
    ) -> Result<(), KeyFailure> {
        let Signed {
            key_id,
            algorithm,
            came,
        } = *message;
        let cached = match &self.keys {
            Keys::Fixed(set) => {
                let verified = set.verify(key_id, algorithm, is_by);
                return verified.map_err(KeyFailure::from);
            }
            Keys::Fetched(cached) => cached,
        };
        let known = cached.get(until).await.map_err(KeyFailure::Unavailable)?;
        let Err(failure) = known.verify(key_id, algorithm, &is_by) else {
            return Ok(());
        };
        let newer = cached.asked_since(came, self.cooldown, until).await;
        let newer = newer.map_err(KeyFailure::Unavailable)?;
        if Arc::ptr_eq(&known, &newer) {
            return Err(failure.into());
        }
        newer
            .verify(key_id, algorithm, is_by)
            .map_err(KeyFailure::from)
    }
}

impl From<NoKey> for KeyFailure {
    fn from(none: NoKey) -> Self {
        match none {
            NoKey::Unknown => Self::Unknown,
            NoKey::DoesNotVerify => Self::DoesNotVerify,
        }
    }
}

fn warn_of_missing_keys(issuer: &str, error: &FetchError) {
    warn(
        "provider_keys_missing",
        format_args!(
            "the keys of the provider {issuer:?} cannot be fetched: {error}; its messages wait until they can, and are answered 503"
        ),
    );
}

fn discovered(client: &Client, http: &Http) -> Arc<Cached<Discovered>> {
    let (issuer, http) = (client.issuer.clone(), http.clone());
    let accepted: Arc<[Algorithm]> = client.algorithms.as_slice().into();
    let is_warned = Arc::new(AtomicBool::new(false));
    Cached::new(move || {
        let (issuer, http) = (issuer.clone(), http.clone());
        let (accepted, is_warned) = (Arc::clone(&accepted), Arc::clone(&is_warned));
        Box::pin(async move {
            let address = discovery::address(&issuer)?;
            let json = http.get("discovery document", address).await?;
            let discovered = Discovered::parse(&issuer, &json)?;
            if discovered.signs_with_none_of(&accepted) && !is_warned.swap(true, Ordering::Relaxed)
            {
                discovered.warn_of_algorithms(&issuer, &accepted);
            }
            Ok(discovered)
        })
    })
}

async fn key_set(issuer: &str, http: &Http, address: Url) -> Result<KeySet, FetchError> {
    let json = http.get("JWK Set", address).await?;
    let set = KeySet::parse(&json).ok_or_else(|| {
        FetchError::new("the provider's JWK Set is not a JSON object with an array `keys`")
    })?;
    for why in &set.unreadable {
        warn(
            "provider_key_skipped",
            format_args!(
                "a key of the provider {issuer:?} is not used, and what it signs is refused: {why}; the other keys are used"
            ),
        );
    }
    Ok(set)
}

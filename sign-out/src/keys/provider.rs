use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use token_cache_core::telemetry::warn;
use token_cache_http_client::HttpClient;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{
    cached::{Cached, FRESH_FOR},
    jwk::Jwk,
    jwk_set::{JwkSet, KeyMismatch},
    provider_metadata::{self, ProviderMetadata},
};
use crate::{
    client::{ClientRegistration, JwksSource},
    config::{ConfigError, parse_https_url},
    http::{FetchError, TIMEOUT, fetch},
    jwt::Algorithm,
};

/// The documents of a provider: its keys and its logout endpoint. Each client has its own, because two clients of an
/// issuer can have different settings.
#[derive(Debug)]
pub(crate) struct Provider {
    issuer: String,
    keys: Keys,
    end_session_endpoint: EndSessionEndpoint,
    cooldown: Duration,
    timeout: Duration,
}

#[derive(Debug)]
enum Keys {
    Fixed(Arc<JwkSet>),
    Fetched(Arc<Cached<JwkSet>>),
}

/// The maximum time for all documents that one message needs: the discovery document, the keys, and the keys again.
pub(crate) const MAX_FETCH_TIME: Duration = TIMEOUT.saturating_mul(3);

/// The shortest and the longest pause before keys are fetched again after an error.
const MIN_PAUSE: Duration = Duration::from_secs(2);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The provider's logout endpoint. A client with configured keys needs no discovery document, so none is fetched.
#[derive(Debug)]
enum EndSessionEndpoint {
    Fixed(Option<Url>),
    Discovered(Arc<Cached<ProviderMetadata>>),
}

/// Why a message cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VerifyError {
    /// The provider publishes no key with this id for this algorithm.
    UnknownKey,
    /// The signature is not by a matching key of the provider.
    InvalidSignature,
    /// The keys cannot be fetched now. The message may be valid.
    Unavailable(FetchError),
}

/// A message whose signature is to be verified.
pub(crate) struct SignedMessage<'a> {
    pub(crate) key_id: Option<&'a str>,
    pub(crate) algorithm: Algorithm,
    /// When the message arrived. Keys that are fetched later may contain its key.
    pub(crate) received: Instant,
}

impl Provider {
    /// Returns the provider of `client`. A user who signs out waits for its documents for at most `timeout`.
    pub(crate) fn new(
        client: &ClientRegistration,
        http: &HttpClient,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let metadata = metadata(client, http);
        let keys = match &client.keys {
            JwksSource::Inline(json) => {
                let set = JwkSet::parse(json.as_bytes()).ok_or_else(|| {
                    ConfigError::new(format!(
                        "the `jwks` of the client {:?} must be a JWK Set (RFC 7517 section 5)",
                        client.id,
                    ))
                })?;
                Keys::Fixed(Arc::new(set))
            }
            JwksSource::Uri(url) => {
                let url = parse_https_url("the JWK Set", url)?;
                let (http, issuer) = (http.clone(), client.issuer.clone());
                Keys::Fetched(Cached::new(move || {
                    let (http, url) = (http.clone(), url.clone());
                    let issuer = issuer.clone();
                    Box::pin(async move { fetch_jwks(&issuer, &http, url).await })
                }))
            }
            JwksSource::Discovery => {
                let (metadata, http) = (Arc::clone(&metadata), http.clone());
                let issuer = client.issuer.clone();
                Keys::Fetched(Cached::new(move || {
                    let (metadata, http) = (Arc::clone(&metadata), http.clone());
                    let issuer = issuer.clone();
                    Box::pin(async move {
                        let deadline = Instant::now() + TIMEOUT;
                        let url = metadata.get(deadline).await?.jwks_uri.clone()?;
                        fetch_jwks(&issuer, &http, url).await
                    })
                }))
            }
        };
        let end_session_endpoint = match &client.end_session_endpoint {
            Some(url) => {
                EndSessionEndpoint::Fixed(Some(parse_https_url("the end_session_endpoint", url)?))
            }
            None if client.keys == JwksSource::Discovery => {
                EndSessionEndpoint::Discovered(metadata)
            }
            None => EndSessionEndpoint::Fixed(None),
        };
        Ok(Self {
            issuer: client.issuer.clone(),
            keys,
            end_session_endpoint,
            cooldown: client.jwks_cooldown,
            timeout,
        })
    }

    /// Returns the provider's logout endpoint, from the client's settings or the discovery document, or `None` if it
    /// has none.
    pub(crate) async fn end_session_endpoint(&self) -> Result<Option<Url>, FetchError> {
        let metadata = match &self.end_session_endpoint {
            EndSessionEndpoint::Fixed(endpoint) => return Ok(endpoint.clone()),
            EndSessionEndpoint::Discovered(metadata) => metadata,
        };
        let deadline = Instant::now() + self.timeout;
        let metadata = metadata.get(deadline).await?;
        Ok(metadata.end_session_endpoint.clone())
    }

    /// Fetches the keys if they are not cached.
    pub(crate) async fn fetch_keys(&self) -> Result<(), FetchError> {
        match &self.keys {
            Keys::Fixed(_) => Ok(()),
            Keys::Fetched(cached) => cached.get(Instant::now() + MAX_FETCH_TIME).await.map(drop),
        }
    }

    /// Returns a task that keeps the keys cached while `is_needed` returns `true`, or `None` if the keys are
    /// configured.
    pub(crate) fn refresh_in_background(
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
                let pause = match cached.get(Instant::now() + MAX_FETCH_TIME).await {
                    Ok(_) => {
                        failed = 0;
                        FRESH_FOR
                    }
                    Err(error) => {
                        if failed == 0 {
                            warn_of_missing_keys(&issuer, &error);
                        }
                        failed = failed.saturating_add(1);
                        MIN_PAUSE.saturating_mul(failed).min(MAX_PAUSE)
                    }
                };
                sleep(pause).await;
            }
        })
    }

    /// Verifies a message. `verifies` returns `true` if a key verifies its signature. All fetches together end by
    /// `deadline`.
    ///
    /// If no cached key verifies the message, it may be signed with a new key. The new key can even have a known id, at
    /// a provider that creates its keys on start. So a message is rejected only after fetching the keys again.
    pub(crate) async fn verify(
        &self,
        message: &SignedMessage<'_>,
        verifies: impl Fn(&Jwk) -> bool,
        deadline: Instant,
    ) -> Result<(), VerifyError> {
        let SignedMessage {
            key_id,
            algorithm,
            received,
        } = *message;
        let cached = match &self.keys {
            Keys::Fixed(set) => {
                return set
                    .verify(key_id, algorithm, verifies)
                    .map_err(VerifyError::from);
            }
            Keys::Fetched(cached) => cached,
        };
        let known = cached
            .get(deadline)
            .await
            .map_err(VerifyError::Unavailable)?;
        let Err(failure) = known.verify(key_id, algorithm, &verifies) else {
            return Ok(());
        };
        let newer = cached
            .fetched_since(received, self.cooldown, deadline)
            .await;
        let newer = newer.map_err(VerifyError::Unavailable)?;
        if Arc::ptr_eq(&known, &newer) {
            return Err(failure.into());
        }
        newer
            .verify(key_id, algorithm, verifies)
            .map_err(VerifyError::from)
    }
}

impl From<KeyMismatch> for VerifyError {
    fn from(none: KeyMismatch) -> Self {
        match none {
            KeyMismatch::NoMatch => Self::UnknownKey,
            KeyMismatch::InvalidSignature => Self::InvalidSignature,
        }
    }
}

fn warn_of_missing_keys(issuer: &str, error: &FetchError) {
    warn(
        "provider_keys_missing",
        format_args!(
            "the keys of the provider {issuer:?} cannot be fetched: {error}; until then its messages wait and are answered with 503"
        ),
    );
}

fn metadata(client: &ClientRegistration, http: &HttpClient) -> Arc<Cached<ProviderMetadata>> {
    let (issuer, http) = (client.issuer.clone(), http.clone());
    let accepted: Arc<[Algorithm]> = client.algorithms.as_slice().into();
    let is_warned = Arc::new(AtomicBool::new(false));
    Cached::new(move || {
        let (issuer, http) = (issuer.clone(), http.clone());
        let (accepted, is_warned) = (Arc::clone(&accepted), Arc::clone(&is_warned));
        Box::pin(async move {
            let url = provider_metadata::discovery_url(&issuer)?;
            let json = fetch(&http, "discovery document", url).await?;
            let metadata = ProviderMetadata::parse(&issuer, &json)?;
            if metadata.signs_with_none_of(&accepted) && !is_warned.swap(true, Ordering::Relaxed) {
                metadata.warn_of_algorithms(&issuer, &accepted);
            }
            Ok(metadata)
        })
    })
}

async fn fetch_jwks(issuer: &str, http: &HttpClient, url: Url) -> Result<JwkSet, FetchError> {
    let json = fetch(http, "JWK Set", url).await?;
    let set = JwkSet::parse(&json).ok_or_else(|| {
        FetchError::new("the provider's JWK Set is not a JSON object with an array `keys`")
    })?;
    for why in &set.unreadable {
        warn(
            "provider_key_skipped",
            format_args!(
                "a key of the provider {issuer:?} is ignored, and messages signed with it are refused: {why}"
            ),
        );
    }
    Ok(set)
}

use std::time::{Duration, Instant};

use openidconnect::{
    ClaimsVerificationError, JsonWebKeySetUrl, SignatureVerificationError, core::CoreJsonWebKeySet,
};
use tokio::sync::Mutex;

use super::http::Http;

/// After an unknown key, the time before the provider's keys are fetched again.
const COOLDOWN: Duration = Duration::from_secs(10);

/// The keys that the provider signs with, fetched anew when it signs with another: providers change them without a word.
pub(super) struct Keys {
    url: JsonWebKeySetUrl,
    fetched: Mutex<Fetched>,
}

struct Fetched {
    keys: CoreJsonWebKeySet,
    at: Option<Instant>,
}

impl Keys {
    pub(super) fn new(url: JsonWebKeySetUrl, keys: CoreJsonWebKeySet) -> Self {
        let fetched = Mutex::new(Fetched { keys, at: None });
        Self { url, fetched }
    }

    /// Tries what it is given with the keys at hand, and once more with new ones where the right one is missing.
    pub(super) async fn try_with<T>(
        &self,
        http: &Http,
        verify: impl Fn(CoreJsonWebKeySet) -> Result<T, ClaimsVerificationError>,
    ) -> Result<T, ClaimsVerificationError> {
        // A caller that waits here gets the keys that another caller fetches.
        let mut fetched = self.fetched.lock().await;
        match verify(fetched.keys.clone()) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) if fetched.at.is_none_or(|at| at.elapsed() >= COOLDOWN) => {
                fetched.at = Some(Instant::now());
                // Without new keys the old answer stands.
                if let Ok(keys) = CoreJsonWebKeySet::fetch_async(&self.url, http).await {
                    fetched.keys = keys;
                }
                verify(fetched.keys.clone())
            }
            verified => verified,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Router, routing::get};
    use openidconnect::JsonWebKeySet;

    use super::*;

    const MISSING: ClaimsVerificationError =
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey);
    const PUBLISHED: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "new", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[tokio::test]
    async fn a_missing_key_is_fetched_once_in_a_while() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let published = get(async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            ([("content-type", "application/json")], PUBLISHED)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let serving = axum::serve(listener, Router::new().route("/keys", published));
        let serving = tokio::spawn(serving.into_future());

        let url = JsonWebKeySetUrl::new(url).unwrap();
        let http = Http::for_issuer(url.as_str()).unwrap();
        let keys = Keys::new(url, JsonWebKeySet::new(Vec::new()));
        let found = keys.try_with(&http, |keys| match keys.keys().len() {
            0 => Err(MISSING),
            found => Ok(found),
        });
        assert_eq!(found.await.unwrap(), 1);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        for _ in 0..3 {
            keys.try_with(&http, |_| Err::<(), _>(MISSING))
                .await
                .unwrap_err();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        serving.abort();
    }
}

//! The log events at WARN.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use token_cache_providers::CodeExchange;
use tracing::{Dispatch, subscriber::DefaultGuard};

use super::{
    SECRET, SENT_AT, provider,
    server::{Answer, Server},
};

/// The events that this thread logs at WARN until the guard is dropped.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, DefaultGuard) {
        // Otherwise an event that another thread logs first, without a subscriber, is disabled for the whole process.
        let _ = tracing::dispatcher::set_global_default(Self::default().dispatch());
        let log = Self::default();
        let guard = tracing::dispatcher::set_default(&log.clone().dispatch());
        (log, guard)
    }

    fn dispatch(self) -> Dispatch {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || self.clone());
        Dispatch::new(subscriber.finish())
    }

    fn lines(&self, event: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter(|line| line.contains(event));
        lines.map(str::to_owned).collect()
    }
}

/// The sign-out routes refuse such a signature, so the provider could not sign the user out.
#[cfg(feature = "openidconnect-4")]
#[test]
fn an_id_token_that_is_signed_with_the_client_s_secret_is_logged_once() {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use openidconnect::{
        ClientId, ClientSecret, IssuerUrl, Nonce, PrivateSigningKey,
        core::{CoreHmacKey, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
    };
    use token_cache_providers::SessionClaims;

    let claims = r#"{"iss":"https://id.example","sub":"canary","aud":"shop","nonce":"n","iat":1700000000,"exp":32000000000}"#;
    let message = [r#"{"alg":"HS512"}"#, claims]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let secret = "canary-client-secret, of 64 bytes or more, as HS512 asks for it.";
    let signature = CoreHmacKey::new(secret)
        .sign(&CoreJwsSigningAlgorithm::HmacSha512, message.as_bytes())
        .unwrap();
    let token = format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
    let verifier = CoreIdTokenVerifier::new_confidential_client(
        ClientId::new("shop".to_owned()),
        ClientSecret::new(secret.to_owned()),
        IssuerUrl::new("https://id.example".to_owned()).unwrap(),
        CoreJsonWebKeySet::new(Vec::new()),
    )
    .set_allowed_algs([CoreJwsSigningAlgorithm::HmacSha512]);
    let (log, _guard) = Log::start();
    for _ in 0..2 {
        SessionClaims::verify(&token, &verifier, &Nonce::new("n".to_owned())).unwrap();
    }
    let lines = log.lines("id_token_signed_with_secret");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("https://id.example"), "{lines:?}");
    assert!(!lines[0].contains("canary"), "{lines:?}");
}

/// The operator must learn of an expired client secret before the users do.
#[tokio::test]
async fn a_code_that_is_not_exchanged_is_logged_with_its_cause_and_nothing_secret() {
    let refusal = json!({"error": "invalid_client", "error_description": "canary-description"});
    for (answer, status, cause) in [
        (refusal, 401, Some("invalid_client")),
        (
            json!({"error": "invalid_grant"}),
            400,
            Some("invalid_grant"),
        ),
        (
            json!({"refresh_token": "canary-token"}),
            200,
            Some("no access token"),
        ),
        (json!({}), 503, Some("503")),
        (json!({"access_token": "canary-token"}), 200, None),
    ] {
        let server = Server::start(move |_| Answer::json(status, &answer)).await;
        let (log, _guard) = Log::start();
        let code = CodeExchange::new("canary-code", "https://shop.example/callback")
            .pkce_verifier("canary-verifier");
        let exchanged = provider(&server).exchange_code(code, SENT_AT).await;
        assert_eq!(exchanged.is_err(), cause.is_some());
        let lines = log.lines("code_exchange_failed");
        assert_eq!(lines.len(), usize::from(cause.is_some()), "{lines:?}");
        if let Some(cause) = cause {
            assert!(lines[0].contains(cause), "{lines:?}");
            assert!(!lines[0].contains("canary"), "{lines:?}");
            assert!(!lines[0].contains(SECRET), "{lines:?}");
        }
    }
}

#![cfg(feature = "tracing")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use token_cache_core::{
    ErrorKind, ErrorResponse, MemoryStore, RefreshError, Timestamp, TokenSet,
    test_util::FailingStore,
};
use tracing::subscriber::DefaultGuard;

use super::{
    api, due,
    provider::{Behaviour, Provider},
    server, signed_in,
};

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
    /// Captures what this thread logs at WARN from now on.
    fn start() -> (Self, DefaultGuard) {
        // Without this, tracing disables an event for the whole process if another thread logs it first, without a subscriber.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().map(str::to_owned).collect()
    }
}

/// The operator must learn of an expired client secret from the log, before its users do.
#[tokio::test]
async fn a_failed_refresh_is_logged_once_with_its_cause_and_no_description() {
    let body = br#"{"error": "invalid_client", "error_description": "canary", "claims": "canary"}"#;
    let response = ErrorResponse::from_json(body).unwrap();
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.next(Behaviour::Fail(RefreshError::of_response(response)));
    let (log, _guard) = Log::start();
    for _ in 0..10 {
        let refreshed = session.get_or_refresh(&api(), provider.clone()).await;
        refreshed.unwrap_err();
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("refresh_failed"), "{lines:?}");
    assert!(lines[0].contains("invalid_client"), "{lines:?}");
    assert!(!lines[0].contains("canary"), "{lines:?}");
}

#[tokio::test]
async fn a_dead_grant_is_logged_once() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.next(Behaviour::Fail(RefreshError::of_code("invalid_grant")));
    let (log, _guard) = Log::start();
    let ended = session.get_or_refresh(&api(), provider.clone()).await;
    assert!(ended.unwrap_err().is_signed_out());
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("invalid_grant"), "{lines:?}");
}

/// The new refresh token is lost. Revoking it could end the tokens that were put, so only the log shows it.
#[tokio::test]
async fn a_refresh_token_that_was_overtaken_is_logged_and_not_revoked() {
    for (answer, lost) in [
        (
            Behaviour::Answer(|_| {
                Ok(TokenSet::new("at-canary")
                    .unwrap()
                    .with_refresh_token("rt-canary"))
            }),
            1,
        ),
        (
            Behaviour::Answer(|_| {
                Err(RefreshError::malformed("no access token")
                    .with_new_refresh_token("rt-canary".into()))
            }),
            1,
        ),
        // The provider does not rotate, so no token is lost.
        (
            Behaviour::Answer(|_| {
                Ok(TokenSet::new("at-canary")
                    .unwrap()
                    .with_refresh_token("rt-0"))
            }),
            0,
        ),
        (
            Behaviour::Answer(|_| Ok(TokenSet::new("at-canary").unwrap())),
            0,
        ),
    ] {
        let provider = Provider::new();
        let (_, _, session) = due(&provider).await;
        provider.next(answer);
        let (log, _guard) = Log::start();
        provider.hold();
        let refreshing = tokio::spawn({
            let (session, provider) = (session.clone(), provider.clone());
            async move { session.get_or_refresh(&api(), provider).await }
        });
        provider.called(1).await;
        let put = TokenSet::new("put").unwrap().with_refresh_token("rt-put");
        session.put(&api(), put).await.unwrap();
        provider.go_on();
        let _ = refreshing.await.unwrap();
        let mut lines = log.lines();
        lines.retain(|line| line.contains("refresh_token_lost"));
        assert_eq!(lines.len(), lost, "{lines:?}");
        assert!(!lines.concat().contains("canary"), "{lines:?}");
        assert!(provider.revoked().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_the_store_could_not_take_is_logged() {
    let provider = Provider::new();
    let store = FailingStore::new(MemoryStore::new());
    let session = signed_in(&server(store.clone()).await).await;
    session.put(&api(), provider.expired()).await.unwrap();
    provider.hold();
    let (log, _guard) = Log::start();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    store.fail_with(ErrorKind::Unavailable);
    provider.go_on();
    let failed = refreshing.await.unwrap().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    let lines = log.lines();
    let lost = lines
        .iter()
        .filter(|line| line.contains("refresh_token_lost"));
    assert_eq!(lost.count(), 1, "{lines:?}");
}

#[test]
fn what_can_not_be_read_of_a_response_is_logged_without_its_value() {
    let (log, _guard) = Log::start();
    for (body, names) in [
        (
            r#"{"access_token": "at-canary", "token_type": "Bearer", "expires_in": 60, "scope": "canary"}"#,
            &[][..],
        ),
        (
            r#"{"access_token": "at-canary", "expires_in": "canary", "refresh_token": ["canary"],
                "id_token": {"sub": "canary"}, "scope": 7}"#,
            &[
                "expires_in",
                "id_token",
                "refresh_token",
                "scope",
                "token_type",
            ],
        ),
    ] {
        let before = log.lines().len();
        TokenSet::from_json(body.as_bytes(), Timestamp::from_secs(1)).unwrap();
        let lines = log.lines().split_off(before);
        assert_eq!(lines.len(), usize::from(!names.is_empty()), "{lines:?}");
        for name in names {
            assert!(lines[0].contains(name), "{name}: {lines:?}");
        }
        assert!(!lines.concat().contains("canary"), "{lines:?}");
    }
}

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use serde_json::json;
use token_cache_core::{RefreshErrorKind, TokenSource};

use super::server::{Answer, Server};
use super::{builder, provider, request};

const KILOBYTE: usize = 1024;

/// An endless body of spaces, which are counted.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let sent = self.0.fetch_add(KILOBYTE, Ordering::Relaxed);
        assert!(
            sent < 64 * KILOBYTE * KILOBYTE,
            "the body is read without a limit"
        );
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(" ".repeat(KILOBYTE))))))
    }
}

/// A body that stalls after the first byte.
struct Stalled(bool);

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))))
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    for status in [200, 400, 503] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let server =
            Server::start(move |_| Answer::with_body(status, &[], Endless(Arc::clone(&counted))))
                .await;
        let error = provider(&server).refresh(request()).await.unwrap_err();
        assert_eq!(error.kind(), RefreshErrorKind::Malformed, "{status}");
        assert!(sent.load(Ordering::Relaxed) > 256 * KILOBYTE);
    }
}

#[tokio::test]
async fn a_large_response_is_read_and_a_larger_one_refused() {
    for (kilobytes, is_read) in [(200, true), (300, false)] {
        let groups = "g".repeat(kilobytes * KILOBYTE);
        let body = json!({"access_token": "at", "token_type": "Bearer", "groups": groups});
        let server = Server::start(move |_| Answer::json(200, &body)).await;
        let outcome = provider(&server).refresh(request()).await;
        assert_eq!(outcome.is_ok(), is_read, "{kilobytes}");
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let server = Server::start(|_| Answer::with_body(200, &[], Stalled(false))).await;
    let provider = builder(&server)
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = provider.refresh(request()).await.unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::Transient);
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |received| match received.path.as_str() {
            "/token" => Answer::new(status, &[("location", "/elsewhere")], ""),
            _ => Answer::json(200, &json!({"access_token": "at", "token_type": "Bearer"})),
        })
        .await;
        let error = provider(&server).refresh(request()).await.unwrap_err();
        assert_eq!(error.kind(), RefreshErrorKind::Malformed);
        assert_eq!(server.received().len(), 1);
    }
}

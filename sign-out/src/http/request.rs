//! Reads the requests that providers send. Anyone can send such a request.

use std::{borrow::Cow, pin::pin, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time;
use url::form_urlencoded;

/// The maximum size of a message. A logout token has about one kilobyte.
const MAX_BYTES: usize = 64 * 1024;

/// The timeout for reading a body. Providers send a message at once, and disconnect soon after this time.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why a request has no readable message. Its text is sent to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("only POST is supported")]
    MethodNotAllowed,
    #[error("the body must be {0}")]
    UnsupportedMediaType(&'static str),
    #[error("the body has more than {} bytes", MAX_BYTES)]
    BodyTooLarge,
    #[error("the body did not arrive in time")]
    BodyTimeout,
    #[error("the body was interrupted")]
    BodyInterrupted,
}

impl RequestError {
    /// Returns the status of RFC 9110 section 15.5.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyInterrupted => StatusCode::BAD_REQUEST,
        }
    }
}

/// Returns the body of a POST request with the given media type.
pub(crate) async fn read_post<B: Body>(
    request: Request<B>,
    media_type: &'static str,
) -> Result<Bytes, RequestError> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(RequestError::MethodNotAllowed);
    }
    if !is_media_type(&parts.headers, media_type) {
        return Err(RequestError::UnsupportedMediaType(media_type));
    }
    read_body(&parts.headers, body).await
}

/// Returns `true` if the body has the media type `expected`, with any parameters (RFC 9110 section 8.3).
fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(expected)
}

/// Reads the whole body, up to [`MAX_BYTES`]. A body with a larger `Content-Length` is not read, and a slow body ends
/// at the timeout.
async fn read_body<B: Body>(headers: &HeaderMap, body: B) -> Result<Bytes, RequestError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES) {
        return Err(RequestError::BodyTooLarge);
    }
    let body = Limited::new(body.map_err(|_| RequestError::BodyInterrupted), MAX_BYTES);
    match time::timeout(TIMEOUT, whole(body)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(RequestError::BodyTooLarge),
        Ok(Err(_)) => Err(RequestError::BodyInterrupted),
        Err(_) => Err(RequestError::BodyTimeout),
    }
}

/// Returns the whole body as one buffer, which its caller has [limited](http_body_util::Limited).
///
/// [`BodyExt::collect`] would hold each frame, and the connection's buffer that it is a part of, until the body ends. A sender chooses the
/// size of the frames, so that a body of the limit could take many times its memory.
async fn whole<B: Body>(body: B) -> Result<Bytes, B::Error> {
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            whole.put(data);
        }
    }
    Ok(whole.freeze())
}

/// The error for a parameter that appears more than once in a query or a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuplicateParameter;

/// Returns the parameter `name` of a query, or `None` if it is absent. A duplicate is an error, because two readers
/// could use different values.
pub(crate) fn query_parameter<'a>(
    uri: &'a Uri,
    name: &str,
) -> Result<Option<Cow<'a, str>>, DuplicateParameter> {
    form_parameter(uri.query().unwrap_or_default().as_bytes(), name)
}

/// Returns the parameter `name` of a form, as [`query_parameter`] does.
pub(crate) fn form_parameter<'a>(
    form: &'a [u8],
    name: &str,
) -> Result<Option<Cow<'a, str>>, DuplicateParameter> {
    let mut values = form_urlencoded::parse(form)
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(DuplicateParameter),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use bytes::Buf;
    use futures_util::StreamExt;
    use http::HeaderValue;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    #[tokio::test]
    async fn a_body_that_goes_on_is_left_at_the_limit() {
        let mut sent = 0;
        let long = futures_util::stream::repeat_with(|| {
            sent += 1000;
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'a'; 1000])))
        });
        let long = StreamBody::new(long.take(1000));
        assert_eq!(
            read_body(&HeaderMap::new(), long).await,
            Err(RequestError::BodyTooLarge)
        );
        assert!(sent <= MAX_BYTES + 1000, "{sent} bytes were asked for");
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_that_announces_more_is_not() {
        let body = || Full::new(Bytes::from(vec![b'a'; MAX_BYTES]));
        let mut headers = HeaderMap::new();
        assert_eq!(read_body(&headers, body()).await.unwrap().len(), MAX_BYTES);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("65537"));
        assert_eq!(
            read_body(&headers, Full::new(Bytes::new())).await,
            Err(RequestError::BodyTooLarge)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let begun =
            futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from("a")))]);
        let body = StreamBody::new(begun.chain(futures_util::stream::pending()));
        let hour = Duration::from_secs(3600);
        let read = time::timeout(hour, read_body(&HeaderMap::new(), body)).await;
        assert_eq!(
            read.expect("it was waited for"),
            Err(RequestError::BodyTimeout)
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_refused_whatever_its_error_is() {
        let begun = [Ok(Frame::data(Bytes::from("a"))), Err(())];
        let body = StreamBody::new(futures_util::stream::iter(begun));
        assert_eq!(
            read_body(&HeaderMap::new(), body).await,
            Err(RequestError::BodyInterrupted)
        );
    }

    static HELD: AtomicUsize = AtomicUsize::new(0);

    /// One byte of a body. It counts how many of them are held.
    struct Byte(Option<u8>);

    impl Byte {
        fn new() -> Self {
            HELD.fetch_add(1, Ordering::Relaxed);
            Self(Some(b'a'))
        }
    }

    impl Drop for Byte {
        fn drop(&mut self) {
            HELD.fetch_sub(1, Ordering::Relaxed);
        }
    }

    impl Buf for Byte {
        fn remaining(&self) -> usize {
            self.0.iter().len()
        }

        fn chunk(&self) -> &[u8] {
            self.0.as_slice()
        }

        fn advance(&mut self, by: usize) {
            if by > 0 {
                self.0 = None;
            }
        }
    }

    #[tokio::test]
    async fn a_frame_is_not_held_until_the_body_ends() {
        let mut most = 0;
        let frames = futures_util::stream::repeat_with(|| {
            most = most.max(HELD.load(Ordering::Relaxed));
            Ok::<_, Infallible>(Frame::data(Byte::new()))
        });
        let body = StreamBody::new(frames.take(1000));
        assert_eq!(whole(body).await.unwrap().len(), 1000);
        assert!(most <= 1, "{most} frames were held at once");
    }

    #[test]
    fn parameters_and_case_do_not_matter_and_two_types_are_none() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
            }
            is_media_type(&headers, "application/secevent+jwt")
        };
        assert!(of(&["application/secevent+jwt"]));
        assert!(of(&["Application/SecEvent+JWT; charset=utf-8"]));
        assert!(!of(&["application/secevent+jwtx"]));
        assert!(!of(&["application/json"]));
        assert!(!of(&[]));
        assert!(!of(&["application/secevent+jwt", "text/plain"]));
    }
}

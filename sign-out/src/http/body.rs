use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time;

use crate::jwt::ValidationError;

/// The maximum size of a message. A logout token has about one kilobyte.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The timeout for reading a body. Providers send a message at once, and disconnect soon after this time.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the whole body, up to [`MAX_BYTES`]. A body with a larger `Content-Length` is not read, and a slow body ends
/// at the timeout.
pub(crate) async fn read<B: Body>(headers: &HeaderMap, body: B) -> Result<Bytes, ValidationError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES) {
        return Err(ValidationError::BodyTooLarge(MAX_BYTES));
    }
    time::timeout(TIMEOUT, whole(body))
        .await
        .unwrap_or(Err(ValidationError::BodyTimeout))
}

async fn whole<B: Body>(body: B) -> Result<Bytes, ValidationError> {
    let mut body = std::pin::pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ValidationError::BodyInterrupted)?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if data.remaining() > MAX_BYTES - whole.len() {
            return Err(ValidationError::BodyTooLarge(MAX_BYTES));
        }
        let length = data.remaining();
        whole.extend_from_slice(&data.copy_to_bytes(length));
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

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
            read(&HeaderMap::new(), long).await,
            Err(ValidationError::BodyTooLarge(MAX_BYTES))
        );
        assert!(sent <= MAX_BYTES + 1000, "{sent} bytes were asked for");
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_that_announces_more_is_not() {
        let body = || Full::new(Bytes::from(vec![b'a'; MAX_BYTES]));
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers, body()).await.unwrap().len(), MAX_BYTES);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("65537"));
        assert_eq!(
            read(&headers, Full::new(Bytes::new())).await,
            Err(ValidationError::BodyTooLarge(MAX_BYTES))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let begun =
            futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from("a")))]);
        let body = StreamBody::new(begun.chain(futures_util::stream::pending()));
        let hour = Duration::from_secs(3600);
        let read = time::timeout(hour, read(&HeaderMap::new(), body)).await;
        assert_eq!(
            read.expect("it was waited for"),
            Err(ValidationError::BodyTimeout)
        );
    }
}

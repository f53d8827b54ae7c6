use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Returns the whole body as one buffer, which its caller has [limited](http_body_util::Limited).
///
/// [`BodyExt::collect`] would hold each frame, and the connection's buffer that it is a part of, until the body ends. A sender chooses the
/// size of the frames, so that a body of the limit could take many times its memory.
pub(super) async fn whole<B: Body>(body: B) -> Result<Bytes, B::Error> {
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            whole.put(data);
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use bytes::Buf;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

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
        let frames = stream::repeat_with(|| {
            most = most.max(HELD.load(Ordering::Relaxed));
            Ok::<_, Infallible>(Frame::data(Byte::new()))
        });
        let body = StreamBody::new(futures_util::StreamExt::take(frames, 1000));
        assert_eq!(whole(body).await.unwrap().len(), 1000);
        assert!(most <= 1, "{most} frames were held at once");
    }
}

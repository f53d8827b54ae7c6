/// A fault of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderFault {
    /// 503, optionally with `Retry-After` in seconds. No token is spent.
    Unavailable {
        /// The seconds to wait.
        retry_after: Option<u64>,
    },
    /// 429, with `Retry-After` in seconds. No token is spent.
    TooMany {
        /// The seconds to wait.
        retry_after: u64,
    },
    /// 400 with this error code of RFC 6749 section 5.2. No token is spent.
    Code(&'static str),
    /// The connection is closed before the request is carried out.
    CutRequest,
    /// The request is carried out, and the connection is closed without an answer. The refresh token is spent, and no client has its
    /// successor.
    DropAnswer,
    /// The request is carried out, and the answer is 200 and not JSON.
    Malformed,
    /// The request is carried out, and the answer lacks the access token.
    NoAccessToken,
}

/// What may happen to a request instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderFault {
    /// 503, perhaps with `Retry-After` in seconds. Nothing is spent.
    Unavailable {
        /// The seconds to wait.
        retry_after: Option<u64>,
    },
    /// 429, with `Retry-After` in seconds. Nothing is spent.
    TooMany {
        /// The seconds to wait.
        retry_after: u64,
    },
    /// 400 with this error code of RFC 6749 section 5.2. Nothing is spent.
    Code(&'static str),
    /// The connection breaks before anything was done.
    CutRequest,
    /// The request is carried out, and the connection breaks instead of the answer: the refresh token is spent, and nobody
    /// has its successor.
    DropAnswer,
    /// The request is carried out, and the answer is 200 and no JSON.
    Malformed,
    /// The request is carried out, and the answer lacks the access token.
    NoAccessToken,
}

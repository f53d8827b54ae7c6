use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiFault {
    /// It is answered by an error of the API with this code, and never reaches the engine:
    /// `ProvisionedThroughputExceededException`, `ThrottlingException`, `RequestLimitExceeded`,
    /// `AccessDeniedException`, `ResourceNotFoundException`.
    Code(&'static str),
    /// It is answered by this status, as an overloaded or broken service does, and never reaches the engine.
    Status(u16),
    /// So many of the last keys or items of a batch request are answered as unprocessed, and never reach the engine. What
    /// is no batch request is left alone.
    Unprocessed(usize),
    /// It reaches the engine so much later.
    Slow(Duration),
    /// It reaches the engine twice, and the second answer is delivered: what a client sees whose first try succeeded and
    /// whose retry was answered.
    Twice,
    /// It is answered, and a copy is kept that arrives once more when the proxy is told to deliver it.
    Duplicate,
    /// The engine answers it, and the connection breaks instead of delivering the answer: it *is* applied, and the client
    /// can't know.
    DropAnswer,
    /// The connection breaks before it reaches the engine: it is never applied, and the client can't know.
    CutRequest,
}

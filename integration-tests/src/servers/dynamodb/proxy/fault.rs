use std::time::Duration;

/// A fault of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiFault {
    /// It is answered with an API error of this code, and never reaches the engine: `ProvisionedThroughputExceededException`,
    /// `ThrottlingException`, `RequestLimitExceeded`, `AccessDeniedException`, `ResourceNotFoundException`.
    Code(&'static str),
    /// It is answered with this status, as by an overloaded or broken service, and never reaches the engine.
    Status(u16),
    /// This many of the last keys or items of a batch request are answered as unprocessed, and never reach the engine. Other requests are
    /// not affected.
    Unprocessed(usize),
    /// It reaches the engine after this delay.
    Slow(Duration),
    /// It reaches the engine twice, and the second answer is delivered, as to a client whose first attempt succeeded and whose retry was
    /// answered.
    Twice,
    /// It is answered, and a duplicate of it is stored until the proxy is told to deliver that.
    Duplicate,
    /// The engine answers it, and the connection is closed before the answer is delivered. It *is* applied, but the client cannot know.
    DropAnswer,
    /// The connection is closed before it reaches the engine. It is never applied, but the client cannot know.
    CutRequest,
}

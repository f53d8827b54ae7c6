use std::time::Duration;

use super::{ApiFault, DynamoDbProxy, Fault, Proxy, READS, ServerError, WRITES, store};

/// The kind of an app server's request, on any store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a connection handles each kind")]
pub enum Step {
    /// It reads.
    Read,
    /// It changes something.
    Change,
}

/// An app server's own connection to a store, which tests can break.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that handles one kind must handle them all"
)]
pub enum Line {
    /// A connection to Redis.
    Redis(Proxy),
    /// A connection to a DynamoDB engine.
    DynamoDb(DynamoDbProxy),
}

impl Line {
    /// Returns the URL by which an app opens the store through this connection, with these parameters.
    pub fn url(&self, parameters: &str) -> String {
        let url = match self {
            Self::Redis(proxy) => proxy.url(),
            Self::DynamoDb(proxy) => proxy.url(),
        };
        store::with(&url, parameters)
    }

    /// Causes `fault` on the next request that reads or changes something.
    pub fn on_next(&self, step: Step, fault: Fault) {
        match self {
            // Changes are scripts, reads are not.
            Self::Redis(proxy) => match step {
                Step::Read => proxy.on_next("HMGET", fault),
                Step::Change => proxy.on_next("EVALSHA", fault),
            },
            Self::DynamoDb(proxy) => {
                let actions = match step {
                    Step::Read => READS,
                    Step::Change => WRITES,
                };
                let fault = match fault {
                    Fault::CutRequest => ApiFault::CutRequest,
                    Fault::DropReply => ApiFault::DropAnswer,
                };
                proxy.on_next(actions, fault);
            }
        }
    }

    /// Returns the number of faults so far.
    pub fn faults(&self) -> u64 {
        match self {
            Self::Redis(proxy) => proxy.faults(),
            Self::DynamoDb(proxy) => proxy.faults(),
        }
    }

    /// Returns the number of requests that were forwarded so far.
    pub fn requests(&self) -> u64 {
        match self {
            Self::Redis(proxy) => proxy.requests(),
            Self::DynamoDb(proxy) => proxy.requests(),
        }
    }

    /// Stops all traffic without closing a connection.
    pub fn freeze(&self) {
        match self {
            Self::Redis(proxy) => proxy.freeze(),
            Self::DynamoDb(proxy) => proxy.freeze(),
        }
    }

    /// Forwards the traffic that was held back.
    pub fn thaw(&self) {
        match self {
            Self::Redis(proxy) => proxy.thaw(),
            Self::DynamoDb(proxy) => proxy.thaw(),
        }
    }

    /// Waits until a frozen connection holds a request back.
    ///
    /// # Errors
    /// None arrives within 10 s.
    pub fn wait_until_holding(&self) -> Result<(), ServerError> {
        match self {
            Self::Redis(proxy) => proxy.wait_until_holding(),
            Self::DynamoDb(proxy) => proxy.wait_until_holding(),
        }
    }

    /// Closes every open connection. New ones are accepted.
    pub fn cut(&self) {
        match self {
            Self::Redis(proxy) => proxy.cut(),
            Self::DynamoDb(proxy) => proxy.cut(),
        }
    }

    /// While `refusing` is `true`, closes every open connection and each new one.
    pub fn refuse(&self, refusing: bool) {
        match self {
            Self::Redis(proxy) => proxy.refuse(refusing),
            Self::DynamoDb(proxy) => proxy.refuse(refusing),
        }
    }

    /// Delays every reply by `delay`.
    pub fn delay(&self, delay: Duration) {
        match self {
            Self::Redis(proxy) => proxy.delay(delay),
            Self::DynamoDb(proxy) => proxy.delay(delay),
        }
    }
}

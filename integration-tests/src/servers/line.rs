use std::time::Duration;

use super::{ApiFault, DynamoDbProxy, Fault, Proxy, READS, ServerError, WRITES, store};

/// What a request of an app server is for, whichever store it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a line knows them all")]
pub enum Step {
    /// It reads.
    Read,
    /// It changes something.
    Change,
}

/// One app server's own line to a store, that can be broken.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that knows one kind must know them all"
)]
pub enum Line {
    /// To a Redis.
    Redis(Proxy),
    /// To a DynamoDB engine.
    DynamoDb(DynamoDbProxy),
}

impl Line {
    /// The URL that an app opens the store by through this line, with these parameters.
    pub fn url(&self, parameters: &str) -> String {
        let url = match self {
            Self::Redis(proxy) => proxy.url(),
            Self::DynamoDb(proxy) => proxy.url(),
        };
        store::with(&url, parameters)
    }

    /// Lets `fault` happen to the next request that reads or changes something.
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

    /// How many faults have happened so far.
    pub fn faults(&self) -> u64 {
        match self {
            Self::Redis(proxy) => proxy.faults(),
            Self::DynamoDb(proxy) => proxy.faults(),
        }
    }

    /// Requests that went through so far.
    pub fn requests(&self) -> u64 {
        match self {
            Self::Redis(proxy) => proxy.requests(),
            Self::DynamoDb(proxy) => proxy.requests(),
        }
    }

    /// Nothing passes any more, and no connection breaks.
    pub fn freeze(&self) {
        match self {
            Self::Redis(proxy) => proxy.freeze(),
            Self::DynamoDb(proxy) => proxy.freeze(),
        }
    }

    /// What was held back passes.
    pub fn thaw(&self) {
        match self {
            Self::Redis(proxy) => proxy.thaw(),
            Self::DynamoDb(proxy) => proxy.thaw(),
        }
    }

    /// Waits until a frozen line holds a request back.
    ///
    /// # Errors
    /// None arrives within 10 s.
    pub fn wait_until_holding(&self) -> Result<(), ServerError> {
        match self {
            Self::Redis(proxy) => proxy.wait_until_holding(),
            Self::DynamoDb(proxy) => proxy.wait_until_holding(),
        }
    }

    /// Breaks every connection there is; new ones are welcome.
    pub fn cut(&self) {
        match self {
            Self::Redis(proxy) => proxy.cut(),
            Self::DynamoDb(proxy) => proxy.cut(),
        }
    }

    /// While true, breaks every connection there is and each new one at once.
    pub fn refuse(&self, refusing: bool) {
        match self {
            Self::Redis(proxy) => proxy.refuse(refusing),
            Self::DynamoDb(proxy) => proxy.refuse(refusing),
        }
    }

    /// Holds every reply back for so long.
    pub fn delay(&self, delay: Duration) {
        match self {
            Self::Redis(proxy) => proxy.delay(delay),
            Self::DynamoDb(proxy) => proxy.delay(delay),
        }
    }
}

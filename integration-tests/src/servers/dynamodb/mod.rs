//! DynamoDB for tests: engines to share, to kill and to pause, and a proxy for behaviour that no engine has.

mod client;
#[cfg(feature = "containers")]
mod container;
mod engine;
mod program;
mod provided;
mod proxy;
mod serve;
mod table;

pub(crate) use self::client::ANY_CREDENTIALS;
pub use self::client::client;
pub use self::engine::{DynamoDbEngine, Kept};
pub use self::program::ENGINE_VARIABLE;
pub use self::provided::{DYNAMODB_VARIABLE, TestDynamoDb};
pub use self::proxy::{ApiCall, ApiFault, DynamoDbProxy, READS, WRITES};
pub use self::serve::{EngineArguments, serve_dynamodb};
pub use self::table::TABLE;

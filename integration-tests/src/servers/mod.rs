//! Real servers for tests, Redis and DynamoDB, and proxies that break connections to them.
//!
//! There are two ways to get a server:
//!
//! - [`TestRedis`], [`TestCluster`] and [`TestDynamoDb`] provide *any* server: the one that an environment variable names, or one from a
//!   container engine (feature `containers`), or local processes. Which one it is gets printed once. The server may be shared, so a test
//!   must use a fresh random prefix and must not wipe anything.
//! - [`RedisServer`], [`RedisCluster`], [`ReplicatedRedis`], [`SentinelSetup`] and [`DynamoDbEngine`] are always local processes of the
//!   test's own. The test may kill, pause and restart them. They are stopped by pid when they are dropped, also after a panic, and by the
//!   kernel when the test process is killed.
//!
//! Two providers rotate refresh tokens and detect their reuse. [`OAuthProvider`] is the development provider in this process, which fails
//! on request.
//! [`OidcProvider`] is the certified one of npm, in a process of its own. [`OpenIdProvider`] names the providers of other projects at which
//! sign-ins and sign-outs are tested. [`DemoServers`] and [`TutorialServers`] are apps that users sign in to.
//!
//! All functions block for short, bounded times and need no async runtime. They work in any test and in several processes.
//! `TOKEN_CACHE_REDIS_SERVER` names another server program: the same tests then run on Valkey.
//!
//! ```no_run
//! use token_cache_integration_tests::servers::{RedisOptions, RedisServer};
//!
//! # fn main() -> Result<(), token_cache_integration_tests::servers::ServerError> {
//! let mut redis = RedisServer::start(RedisOptions::default())?;
//! redis.cli(&["SET", "key", "value"])?;
//! redis.kill9()?;
//! redis.restart()?;
//! assert!(redis.cli(&["GET", "key"])?.is_nil());
//! # Ok(())
//! # }
//! ```

mod addresses;
mod binary;
mod cluster;
#[cfg(feature = "containers")]
mod container;
mod demo;
mod dynamodb;
#[cfg(feature = "containers")]
mod engine;
mod error;
mod line;
pub(crate) mod npm;
mod oauth;
mod oidc;
mod openid;
mod options;
mod port;
mod process;
mod provided;
mod proxy;
mod redis;
mod replicated;
mod resp;
mod sentinel;
mod store;
mod tls;
mod tutorial;
mod wait;

pub use self::addresses::AppAddresses;
pub(crate) use self::binary::find as program;
pub use self::cluster::RedisCluster;
pub use self::demo::{DemoServers, SignsInAt};
pub(crate) use self::dynamodb::ANY_CREDENTIALS;
pub use self::dynamodb::{
    ApiCall, ApiFault, DYNAMODB_VARIABLE, DynamoDbEngine, DynamoDbProxy, ENGINE_VARIABLE,
    EngineArguments, Kept, READS, TABLE, TestDynamoDb, WRITES, client as dynamodb_client,
    serve_dynamodb,
};
pub use self::error::ServerError;
pub use self::line::{Line, Step};
pub use self::oauth::{CLIENT_ID, CLIENT_SECRET, OAuthProvider, ProviderCounts};
pub use self::oidc::{ClientAddresses, LogoutCounts, OidcProvider, OidcProviderSettings};
pub use self::openid::{Exchange, LogoutChannel, OpenIdProvider, RunningProvider};
pub use self::options::{AppendFsync, RedisOptions};
pub use self::provided::{REDIS_CLUSTER_VARIABLE, REDIS_VARIABLE, TestCluster, TestRedis};
pub use self::proxy::{Fault, Proxy};
pub use self::redis::RedisServer;
pub use self::replicated::ReplicatedRedis;
pub use self::resp::{Client, Value};
pub use self::sentinel::SentinelSetup;
pub(crate) use self::store::with as url_with;
pub use self::store::{OwnStore, StoreKind};
pub use self::tutorial::TutorialServers;
pub use token_cache_dev_provider::Fault as ProviderFault;

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "containers")]
use super::container::RedisContainer;
#[cfg(feature = "containers")]
use super::engine;
use super::{RedisCluster, RedisOptions, RedisServer, ServerError};

/// The environment variable with a Redis for tests, `redis://…`. It may be shared.
pub const REDIS_VARIABLE: &str = "TOKEN_CACHE_TEST_REDIS";
/// The environment variable with the nodes of a Redis Cluster for tests, separated by commas.
pub const REDIS_CLUSTER_VARIABLE: &str = "TOKEN_CACHE_TEST_REDIS_CLUSTER";

/// A Redis from the environment, a container engine, or a local process.
///
/// It may be shared. A test must therefore use a random prefix and wipe nothing.
#[derive(Debug)]
pub struct TestRedis {
    url: String,
    how: String,
    _keep: Keep,
}

/// A Redis Cluster of three masters, provided like a [`TestRedis`].
#[derive(Debug)]
pub struct TestCluster {
    urls: Vec<String>,
    how: String,
    _keep: Keep,
}

/// Resources that must live as long as the server is used.
#[derive(Debug)]
#[expect(dead_code, reason = "owned for their Drop")]
enum Keep {
    Nothing,
    Server(Box<RedisServer>),
    Cluster(RedisCluster),
    #[cfg(feature = "containers")]
    Container(RedisContainer),
}

impl TestRedis {
    /// Finds or starts a server, and prints once which one it is.
    ///
    /// # Errors
    /// No server is available. The message says what to do.
    pub fn provide() -> Result<Self, ServerError> {
        let redis = Self::find()?;
        report_server("redis", &redis.how);
        Ok(redis)
    }

    fn find() -> Result<Self, ServerError> {
        if let Some(url) = named_by(REDIS_VARIABLE) {
            let how = format!("the server that {REDIS_VARIABLE} names");
            return Ok(Self {
                url,
                how,
                _keep: Keep::Nothing,
            });
        }
        #[cfg(feature = "containers")]
        if let Some(engine) = engine::answering() {
            let container = RedisContainer::standalone(&engine)?;
            let (url, how) = (container.urls().concat(), container.describe());
            return Ok(Self {
                url,
                how,
                _keep: Keep::Container(container),
            });
        }
        let server = RedisServer::start(RedisOptions::default())?;
        let how = format!("local {} at {}", server.version()?, server.address());
        Ok(Self {
            url: server.url(),
            how,
            _keep: Keep::Server(Box::new(server)),
        })
    }

    /// Returns its URL, `redis://…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns its source, such as `local redis-server 7.0.15 at 127.0.0.1:12345`.
    pub fn how(&self) -> &str {
        &self.how
    }
}

impl TestCluster {
    /// Finds or starts a cluster, and prints once which one it is.
    ///
    /// # Errors
    /// No cluster is available. The message says what to do.
    pub fn provide() -> Result<Self, ServerError> {
        let cluster = Self::find()?;
        report_server("redis cluster", &cluster.how);
        Ok(cluster)
    }

    fn find() -> Result<Self, ServerError> {
        if let Some(urls) = named_by(REDIS_CLUSTER_VARIABLE) {
            let urls = urls.split(',').map(|url| url.trim().to_owned()).collect();
            let how = format!("the nodes that {REDIS_CLUSTER_VARIABLE} names");
            return Ok(Self {
                urls,
                how,
                _keep: Keep::Nothing,
            });
        }
        #[cfg(feature = "containers")]
        if let Some(engine) = engine::answering() {
            let container = RedisContainer::cluster(&engine)?;
            let (urls, how) = (container.urls(), container.describe());
            return Ok(Self {
                urls,
                how,
                _keep: Keep::Container(container),
            });
        }
        let cluster = RedisCluster::start(3)?;
        let version = cluster
            .nodes()
            .first()
            .map(RedisServer::version)
            .transpose()?;
        let ports: Vec<String> = cluster
            .nodes()
            .iter()
            .map(|node| node.port().to_string())
            .collect();
        let how = format!(
            "{} local {} at 127.0.0.1:{}",
            ports.len(),
            version.unwrap_or_default(),
            ports.join(",")
        );
        Ok(Self {
            urls: cluster.urls(),
            how,
            _keep: Keep::Cluster(cluster),
        })
    }

    /// Returns one `redis://…` URL per node. Each of them gives access to the cluster.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Returns its source.
    pub fn how(&self) -> &str {
        &self.how
    }
}

/// Returns the variable's value if it is set and not empty.
fn named_by(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Prints once per process which server the tests of this `kind` run on.
pub(super) fn report_server(kind: &'static str, which: &str) {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

    let first = SAID
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(kind);
    if first {
        // A closed stderr must not fail a test.
        let _ = writeln!(io::stderr(), "{kind}: {which}");
    }
}

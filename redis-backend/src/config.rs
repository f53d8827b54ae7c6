use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::duration;

/// The settings of the Redis store: the servers, and how to reach them.
///
/// Every field has a default. Unknown fields of a configuration file are refused. Durations are strings with a unit (`"500ms"`, `"2s"`),
/// addresses are `"host:port"`.
///
/// ```
/// use std::time::Duration;
/// use token_cache_redis::RedisConfig;
///
/// let config = RedisConfig::from_url("redis://app:hunter2@cache.internal/?prefix=shop&operation_timeout=500ms")?;
/// assert_eq!(config.prefix, "shop");
/// assert_eq!(config.operation_timeout, Duration::from_millis(500));
/// assert!(!format!("{config:?}").contains("hunter2"));
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisConfig {
    /// The servers. Default: one at `127.0.0.1:6379`.
    pub topology: Topology,
    /// The ACL user. Default: `None`, which is the user `default` of the server.
    pub username: Option<String>,
    /// The password of the user. Default: `None`.
    pub password: Option<SecretString>,
    /// The database number. Default: 0, the only one of a Cluster.
    pub db: u32,
    /// TLS by rustls with ring. Needs the feature `tls`. Default: `None`.
    pub tls: Option<Tls>,
    /// The prefix of every key, one for each namespace: 1 to 64 letters, digits or `-_.:`. Default: `tc`.
    pub prefix: String,
    /// The limit for opening one connection. Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub connect_timeout: Duration,
    /// The limit for all requests of one call of the cache together, retries included. In a bulk sign-out it applies to each request.
    /// Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub operation_timeout: Duration,
    /// Which servers must have a sign-out, a sign-in and the result of a refresh before it is done. Default: the primary.
    pub durability: Durability,
    /// Waits for the replicas after every write of an entry, not only after a refresh. Needs [`Durability::Replicas`]. Default: `false`, so a
    /// failover may restore an older value.
    pub confirm_every_write: bool,
}

/// The servers, and how they work together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Topology {
    /// One server.
    Standalone(Address),
    /// One server at a Unix socket.
    Socket(PathBuf),
    /// A Redis Cluster, given by some of its nodes. Needs the feature `cluster`.
    Cluster(Vec<Address>),
    /// A primary that is found through Sentinels. Needs the feature `sentinel`.
    Sentinel(Sentinel),
}

/// The Sentinels, and the service that they monitor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sentinel {
    /// The addresses of the Sentinels. All are asked, and the majority of the answers counts.
    pub sentinels: Vec<Address>,
    /// The name of the service.
    pub service: String,
    /// The ACL user at the Sentinels. Default: `None`.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of that user. Default: `None`.
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub struct Address {
    /// A host name or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The TLS settings. Without `ca`, the root certificates of the machine are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The path of a PEM file with the authority of the server certificate.
    pub ca: Option<PathBuf>,
    /// The path of a PEM file with a client certificate. Needs `key`.
    pub cert: Option<PathBuf>,
    /// The path of a PEM file with the key of the client certificate.
    pub key: Option<PathBuf>,
}

/// The servers that must have a sign-out, a not-before time or a sign-in before it is done. Guarantee G1 depends on it when a server fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// The primary. A failover may restore sessions that were signed out just before it.
    #[default]
    Primary,
    /// The primary and this number of replicas (`WAIT`). Set the number of replicas that may be promoted.
    Replicas(u32),
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            topology: Topology::Standalone(Address::new("127.0.0.1", Address::REDIS_PORT)),
            username: None,
            password: None,
            db: 0,
            tls: None,
            prefix: "tc".to_owned(),
            connect_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(1),
            durability: Durability::Primary,
            confirm_every_write: false,
        }
    }
}

impl RedisConfig {
    /// Returns the settings in a URL. [The crate's documentation](crate) lists the schemes and parameters.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config), before any request. The message names the part of the URL and the valid values. It
    /// never contains the URL, which may contain a password.
    pub fn from_url(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }

    /// Checks the settings without a request.
    pub(crate) fn check(&self) -> Result<()> {
        let Self {
            topology,
            db,
            tls,
            prefix,
            connect_timeout,
            operation_timeout,
            durability,
            confirm_every_write,
            ..
        } = self;
        check_prefix(prefix).map_err(invalid_config)?;
        duration::check("connect_timeout", *connect_timeout)?;
        duration::check("operation_timeout", *operation_timeout)?;
        if *durability == Durability::Replicas(0) {
            return Err(invalid_config(
                "`replicas` is 0, which confirms nothing; set 1 or more, or leave it out",
            ));
        }
        if *confirm_every_write && *durability == Durability::Primary {
            return Err(invalid_config(
                "`confirm_every_write` is set without `replicas`; set `replicas` as well",
            ));
        }
        if let Some(tls) = tls {
            tls.check()?;
        }
        topology.check(*db)
    }
}

impl Topology {
    fn check(&self, db: u32) -> Result<()> {
        match self {
            Self::Socket(path) if path.as_os_str().is_empty() => Err(invalid_config(
                "the path of the socket is empty; write it like `redis+unix:///run/redis.sock`",
            )),
            Self::Cluster(_) if !cfg!(feature = "cluster") => Err(feature_off("cluster")),
            Self::Cluster(nodes) if nodes.is_empty() => Err(invalid_config(
                "the address of a cluster node is missing; name at least one node",
            )),
            Self::Cluster(_) if db != 0 => Err(invalid_config(
                "a cluster has only the database 0; leave the number out",
            )),
            Self::Sentinel(_) if !cfg!(feature = "sentinel") => Err(feature_off("sentinel")),
            Self::Sentinel(sentinel) if sentinel.sentinels.is_empty() => Err(invalid_config(
                "the address of a Sentinel is missing; name at least one",
            )),
            Self::Sentinel(sentinel) if sentinel.service.is_empty() => Err(invalid_config(
                "the name of the service is missing; write it as the path, such as `/mymaster`",
            )),
            Self::Standalone(_) | Self::Socket(_) | Self::Cluster(_) | Self::Sentinel(_) => Ok(()),
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |addresses: &[Address]| {
            let addresses: Vec<String> = addresses.iter().map(Address::to_string).collect();
            addresses.join(", ")
        };
        match self {
            Self::Standalone(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
            Self::Cluster(nodes) => write!(f, "the cluster of {}", joined(nodes)),
            Self::Sentinel(sentinel) => write!(
                f,
                "the primary of `{}` by the Sentinels {}",
                sentinel.service,
                joined(&sentinel.sentinels)
            ),
        }
    }
}

impl Sentinel {
    /// Returns the settings for these Sentinels, without credentials.
    pub fn new(sentinels: Vec<Address>, service: impl Into<String>) -> Self {
        Self {
            sentinels,
            service: service.into(),
            username: None,
            password: None,
        }
    }
}

impl PartialEq for Sentinel {
    /// Compares all fields except the passwords.
    fn eq(&self, other: &Self) -> bool {
        self.sentinels == other.sentinels
            && self.service == other.service
            && self.username == other.username
    }
}

impl Eq for Sentinel {}

impl Address {
    pub(crate) const REDIS_PORT: u16 = 6379;
    pub(crate) const SENTINEL_PORT: u16 = 26379;

    /// Returns the address of a host and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Parses `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(|| {
                    invalid_config(
                        "an IPv6 address has no closing bracket; write it like `[::1]:6379`",
                    )
                })?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or_else(|| {
                        invalid_config(
                            "the port of an IPv6 address is invalid; write it like `[::1]:6379`",
                        )
                    })?),
                };
                (host, port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(invalid_config(
                "the host is empty; write `host` or `host:port`",
            ));
        }
        let port = match port {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                invalid_config("the port is invalid; it must be a number from 1 to 65535")
            })?,
        };
        Ok(Self::new(host, port))
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, Self::REDIS_PORT)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Tls {
    fn check(&self) -> Result<()> {
        if !cfg!(feature = "tls") {
            return Err(feature_off("tls"));
        }
        if self.cert.is_some() != self.key.is_some() {
            return Err(invalid_config(
                "a client certificate needs both `cert` and `key`; set both or neither",
            ));
        }
        Ok(())
    }
}

pub(crate) fn invalid_config(message: impl Into<String>) -> Error {
    Error::config("configure the Redis store", message)
}

fn feature_off(feature: &str) -> Error {
    invalid_config(format!(
        "this kind of server is not compiled in; add the feature `{feature}` of token-cache-redis (`redis-{feature}` of token-cache)"
    ))
}

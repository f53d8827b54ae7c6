use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::duration;

/// Where a Redis or Valkey is, and how to talk to it.
///
/// Every field has its default, so a configuration file names what differs; an unknown field is refused. Durations are texts
/// with a unit (`"500ms"`, `"2s"`), addresses are `"host:port"`.
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
    /// Which servers. Default: one at `127.0.0.1:6379`.
    pub topology: Topology,
    /// The ACL user. Default: none, which is the server's `default` user.
    pub username: Option<String>,
    /// Its password. Default: none.
    pub password: Option<SecretString>,
    /// The database number. Default: 0; a Cluster has no other.
    pub db: u32,
    /// TLS, by rustls with ring; needs the feature `tls`. Default: none.
    pub tls: Option<Tls>,
    /// What the name of every key starts with; each namespace has its own. Default: `tc`.
    ///
    /// Letters, digits and `-_.:`, up to 64 of them.
    pub prefix: String,
    /// How long opening one connection may take. Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub connect_timeout: Duration,
    /// How long all requests of one call of the cache may take together, retries included; a bulk sign-out has it for each request.
    /// Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub operation_timeout: Duration,
    /// When a sign-out counts as done, and with it a sign-in and what a refresh stores. Default: once the primary has it.
    pub durability: Durability,
    /// Whether every write of an entry waits for the replicas too, not only what a refresh stores. Needs a
    /// [`durability`](Self::durability) of replicas. Default: no, so a failover may bring an older value back.
    pub confirm_every_write: bool,
}

/// Which servers there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Topology {
    /// One server.
    Standalone(Address),
    /// One server, by a Unix socket.
    Socket(PathBuf),
    /// A Redis Cluster, by some of its nodes; needs the feature `cluster`.
    Cluster(Vec<Address>),
    /// A primary that Sentinels know; needs the feature `sentinel`.
    Sentinel(Sentinel),
}

/// The Sentinels, and whom they watch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sentinel {
    /// Where they are; any that answers will do.
    pub sentinels: Vec<Address>,
    /// What they call the primary.
    pub service: String,
    /// The ACL user at the Sentinels. Default: none.
    #[serde(default)]
    pub username: Option<String>,
    /// Its password. Default: none.
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// TLS settings. Without a `ca`, the machine's own roots are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// A PEM file with the authority that signed the server's certificate.
    pub ca: Option<PathBuf>,
    /// A PEM file with a client certificate; goes with `key`.
    pub cert: Option<PathBuf>,
    /// A PEM file with the client certificate's key.
    pub key: Option<PathBuf>,
}

/// When a sign-out, a sign-in or a marker counts as done (what G1 rests on when a server fails).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// Once the primary has it. A failover may bring back what was signed out in its last moments.
    #[default]
    Primary,
    /// Once so many replicas have it as well (`WAIT`): give as many as may be promoted.
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
    /// What a URL says: see [the crate's documentation](crate) for the schemes and parameters.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config), before any request, naming the part and what is valid there. It
    /// never holds the URL, which may hold a password.
    pub fn from_url(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }

    /// What can be told wrong without a request.
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
                "durability of 0 replicas confirms nothing; give 1 or more, or leave it out",
            ));
        }
        if *confirm_every_write && *durability == Durability::Primary {
            return Err(invalid_config(
                "`confirm_every_write` waits for replicas, and none are asked for; give `replicas` as well",
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
            Self::Socket(path) if path.as_os_str().is_empty() => {
                Err(invalid_config("the path of the socket is empty"))
            }
            Self::Cluster(_) if !cfg!(feature = "cluster") => Err(feature_off("cluster")),
            Self::Cluster(nodes) if nodes.is_empty() => Err(invalid_config(
                "a cluster needs the address of a node at least",
            )),
            Self::Cluster(_) if db != 0 => Err(invalid_config(
                "a cluster has no database but 0; leave it out",
            )),
            Self::Sentinel(_) if !cfg!(feature = "sentinel") => Err(feature_off("sentinel")),
            Self::Sentinel(sentinel) if sentinel.sentinels.is_empty() => {
                Err(invalid_config("the address of a Sentinel is missing"))
            }
            Self::Sentinel(sentinel) if sentinel.service.is_empty() => Err(invalid_config(
                "the name of the service that the Sentinels watch is empty",
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
    /// These Sentinels, without credentials.
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
    /// Passwords are not compared.
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

    /// A host and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once(']')
                    .ok_or_else(|| invalid_config("an IPv6 address lacks its closing bracket"))?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or_else(|| {
                        invalid_config("between an IPv6 address and its port stands a colon")
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
            return Err(invalid_config("the host is empty"));
        }
        let port = match port {
            None => default_port,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| invalid_config("a port is a number from 1 to 65535"))?,
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
                "a client certificate needs both `cert` and `key`; give both or none",
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
        "it needs the feature `{feature}` of token-cache-redis (`redis-{feature}` of token-cache)"
    ))
}

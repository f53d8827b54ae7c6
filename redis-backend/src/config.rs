use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::duration;

/// The settings of the Redis store: the Redis servers, and how to reach them. Pass it to
/// [`RedisStore::connect`](crate::RedisStore::connect).
///
/// Create it with [`from_url`](Self::from_url), from a configuration file, or from `RedisConfig::default()` by setting fields. Every field
/// has a default. Unknown fields of a configuration file are refused. Durations are strings with a unit (`"500ms"`, `"2s"`), addresses are
/// `"host:port"`.
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
    /// The Redis servers, and how they work together. Default: one Redis server at `127.0.0.1:6379`.
    pub topology: Topology,
    /// The ACL user at the Redis servers. Default: `None`, which is the user `default` of Redis.
    pub username: Option<String>,
    /// The password of the user. Default: `None`, which sends no password.
    pub password: Option<SecretString>,
    /// The database number. Default: 0. A Cluster has only this one, and refuses any other number.
    pub db: u32,
    /// The TLS settings, for the Redis servers and the Sentinels. TLS is rustls with ring, and needs the feature `tls`. Default: `None`,
    /// which connects without TLS. A URL with `rediss` sets it.
    pub tls: Option<Tls>,
    /// The prefix of every key in Redis, one for each namespace: 1 to 64 letters, digits or `-_.:`. Default: `tc`. All app servers that
    /// share sessions need the same prefix.
    pub prefix: String,
    /// The limit for opening one connection. Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub connect_timeout: Duration,
    /// The limit for all requests of one call of the cache together, retries included. In a bulk sign-out it applies to each request.
    /// Default: 1 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub operation_timeout: Duration,
    /// The Redis servers that must confirm a sign-out, a sign-in, a refresh lock and the result of a refresh before the call succeeds.
    /// Default: [`Durability::Primary`].
    pub durability: Durability,
    /// Makes the replicas of [`Durability::Replicas`] confirm every write of an entry, not only the result of a refresh. Without `Replicas`
    /// it is a configuration error. Default: `false`, so a failover may restore an older value of an entry, or lose the entry.
    pub confirm_every_write: bool,
}

/// The addresses of the Redis servers, and how these servers work together. It is the field [`RedisConfig::topology`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Topology {
    /// One Redis server at a TCP address.
    Standalone(Address),
    /// One Redis server at the path of a Unix socket.
    Socket(PathBuf),
    /// A Redis Cluster, given by the addresses of some of its nodes. The store finds the others. Needs the feature `cluster`, and at least
    /// one address.
    Cluster(Vec<Address>),
    /// One primary that is found through Sentinels, and found again after a failover. Needs the feature `sentinel`.
    Sentinel(Sentinel),
}

/// The Sentinels, the service that they monitor, and the credentials at the Sentinels. Pass it to [`Topology::Sentinel`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sentinel {
    /// The addresses of the Sentinels, at least one. All are asked, and the majority of the answers names the primary.
    pub sentinels: Vec<Address>,
    /// The name of the service in the configuration of the Sentinels, such as `mymaster`.
    pub service: String,
    /// The ACL user at the Sentinels. Default: `None`, which is their user `default`. The credentials of the Redis servers are not used
    /// here.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of that user. Default: `None`, which sends no password.
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// The host and the port of a Redis server or a Sentinel. `"host:port".parse()` creates it too; without a port it is 6379.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub struct Address {
    /// A host name or an IP address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// The TLS settings: files with certificates. `Tls::default()` trusts the root certificates of the machine, and sends no client
/// certificate. It is the field [`RedisConfig::tls`].
///
/// The files are read when the store connects. A file that cannot be read is a configuration error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The path of a PEM file with one or several root certificates. Only these are trusted: they **replace** those of the machine.
    /// Default: `None`, which trusts the root certificates of the machine.
    pub ca: Option<PathBuf>,
    /// The path of a PEM file with a client certificate. Needs [`key`](Self::key); one without the other is a configuration error. Default:
    /// `None`, which sends no client certificate.
    pub cert: Option<PathBuf>,
    /// The path of a PEM file with the private key of the client certificate. A diagnostic reports a file that other users of the machine
    /// can read. Default: `None`.
    pub key: Option<PathBuf>,
}

/// The Redis servers that must confirm a write before the call of the cache succeeds. It is the field [`RedisConfig::durability`], and
/// decides which writes a failover to a replica can lose.
///
/// It applies to sign-outs, not-before times, sign-ins with their index entries, refresh locks and the results of refreshes. Other writes
/// of entries follow [`confirm_every_write`](RedisConfig::confirm_every_write). The losses of a crash without a failover depend on the
/// persistence of Redis instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// The primary alone. A failover loses all writes that the promoted replica had not received:
    ///
    /// - Sessions that were signed out just before it are live again, so a sign-out is not final (G1).
    /// - A sign-in that began before such a sign-out is accepted (G2).
    /// - A new session can be lost, and its user must sign in again. An entry can be lost or have an older value.
    /// - The successor of a refresh token can be lost, and the used one is sent again (G6).
    ///
    /// This is right for Redis without replicas.
    #[default]
    Primary,
    /// The primary and this number of replicas (`WAIT`). Set the number of replicas that may be promoted. A failover to a replica that has
    /// confirmed loses none of these writes.
    ///
    /// If fewer replicas confirm a write within [`operation_timeout`](RedisConfig::operation_timeout), it fails with
    /// [`Unavailable`](token_cache_core::ErrorKind::Unavailable), although the primary has applied it. Repeat the call. Opening the store
    /// fails with the same error. `Replicas(0)` is a configuration error.
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
    /// Creates the settings from a URL. Parameters that the URL does not have keep their defaults. [The crate's documentation](crate) lists
    /// the schemes and parameters.
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
    /// Creates the settings for the service `service` at these Sentinels, without credentials at the Sentinels.
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

    /// Creates the address of a host and a port. The host is a name or an IP address without brackets. It is not checked or resolved here.
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

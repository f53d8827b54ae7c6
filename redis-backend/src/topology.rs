use std::{fmt, path::PathBuf, str::FromStr};

use secrecy::SecretString;
use serde::Deserialize;
use token_cache_core::{Error, Result};

use crate::error::{feature_off, invalid_config};

/// The addresses of the Redis servers, and how these servers work together: as a single server, as a primary behind Sentinels, or as a
/// Cluster. It is the value of the field [`RedisConfig::topology`](crate::RedisConfig::topology).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Topology {
    /// A single Redis server at a TCP address.
    Standalone(Address),
    /// A single Redis server on the same machine, at the path of its Unix socket. [`RedisStore::connect`](crate::RedisStore::connect)
    /// refuses an empty path with [`Config`](token_cache_core::ErrorKind::Config).
    Socket(PathBuf),
    /// A Redis Cluster, given by the addresses of some of its nodes. The store finds the other nodes.
    /// [`RedisStore::connect`](crate::RedisStore::connect) fails with [`Config`](token_cache_core::ErrorKind::Config) if the list is empty,
    /// or if the crate is built without the feature `cluster`.
    Cluster(Vec<Address>),
    /// A primary whose address the store gets from Sentinels. After a failover, the store connects to the new primary. Without the feature
    /// `sentinel`, [`RedisStore::connect`](crate::RedisStore::connect) fails with [`Config`](token_cache_core::ErrorKind::Config).
    Sentinel(Sentinel),
}

/// The addresses of the Sentinels, the name of the service that they monitor, and the credentials at the Sentinels. Pass it to
/// [`Topology::Sentinel`]. The credentials at the Redis servers are fields of [`RedisConfig`](crate::RedisConfig).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sentinel {
    /// The addresses of the Sentinels. The store asks all of them, and connects to the primary that the majority of the answers names.
    /// [`RedisStore::connect`](crate::RedisStore::connect) refuses an empty list with [`Config`](token_cache_core::ErrorKind::Config).
    pub sentinels: Vec<Address>,
    /// The name of the service in the configuration of the Sentinels (`sentinel monitor`), such as `mymaster`.
    /// [`RedisStore::connect`](crate::RedisStore::connect) fails with [`Config`](token_cache_core::ErrorKind::Config) if the name is empty,
    /// or if the Sentinels monitor no such service.
    pub service: String,
    /// The name of the ACL user at the Sentinels. It is sent only with a [`password`](Self::password); without a password it has no effect.
    /// Default: `None`, which is the user `default` of the Sentinels.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of the ACL user at the Sentinels. Default: `None`, which sends neither a password nor the user name. If the Sentinels
    /// refuse the credentials, [`RedisStore::connect`](crate::RedisStore::connect) fails with
    /// [`Denied`](token_cache_core::ErrorKind::Denied).
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// The host and the TCP port of a Redis server or a Sentinel. Create it with [`new`](Self::new), or by parsing a string: `"host:port"`, or
/// `"[::1]:6379"` for an IPv6 address.
///
/// A string without a port has the port 6379, also for a Sentinel. In a URL, the port of a Sentinel is 26379 by default. Parsing fails with
/// [`Config`](token_cache_core::ErrorKind::Config) if the host is empty, or if the port is not a number from 1 to 65535.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub struct Address {
    /// The host name or the IP address. An IPv6 address has no brackets here.
    pub host: String,
    /// The TCP port of the Redis server or the Sentinel, usually 6379 for a Redis server and 26379 for a Sentinel.
    pub port: u16,
}

impl Topology {
    pub(crate) fn check(&self, db: u32) -> Result<()> {
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
    /// Creates the settings from the addresses of the Sentinels, and the name of the service that they monitor. By default no credentials
    /// are sent to the Sentinels. Nothing is checked here: [`RedisStore::connect`](crate::RedisStore::connect) refuses an empty list and an
    /// empty name with [`Config`](token_cache_core::ErrorKind::Config).
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
    /// Returns `true` if the Sentinels, the service and the user name are equal. The passwords are not compared.
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

    /// Creates the address from a host and a TCP port. The host is a host name, or an IP address without brackets. Nothing is checked or
    /// resolved here: with a wrong host or port, [`RedisStore::connect`](crate::RedisStore::connect) fails.
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

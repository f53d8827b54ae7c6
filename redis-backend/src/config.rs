use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use token_cache_core::{Result, backend::check_prefix};

use crate::{
    Address, Topology, duration,
    error::{feature_off, invalid_config},
};

/// The settings of a [`RedisStore`](crate::RedisStore): the addresses of the Redis servers, the credentials, the timeouts, and how many
/// replicas must confirm a write. Pass it to [`RedisStore::connect`](crate::RedisStore::connect), which fails with
/// [`Config`](token_cache_core::ErrorKind::Config) if a setting is invalid.
///
/// Create it in one of three ways: with [`from_url`](Self::from_url), from `RedisConfig::default()` by setting fields, or by deserializing
/// a configuration file with serde. Every field has a default. In a configuration file, a duration is a string with a unit (`"500ms"`,
/// `"2s"`), and an address is `"host:port"`. Deserializing fails if the file has an unknown field or an unreadable value.
///
/// ```
/// use std::time::Duration;
/// use token_cache::redis::RedisConfig;
///
/// let config = RedisConfig::from_url("redis://app:hunter2@cache.internal/?prefix=shop&operation_timeout=500ms")?;
/// assert_eq!(config.prefix, "shop");
/// assert_eq!(config.operation_timeout, Duration::from_millis(500));
/// assert!(!format!("{config:?}").contains("hunter2"));
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisConfig {
    /// The addresses of the Redis servers, and whether they are a single server, a primary behind Sentinels, or a Cluster. Default: a
    /// single Redis server at `127.0.0.1:6379`.
    pub topology: Topology,
    /// The name of the ACL user at the Redis servers. It is sent only with a [`password`](Self::password); without a password it has no
    /// effect. Default: `None`, which is the user `default` of Redis.
    pub username: Option<String>,
    /// The password of the ACL user at the Redis servers. Default: `None`, which sends neither a password nor the user name. If the Redis
    /// server needs a password and it is missing or wrong, [`RedisStore::connect`](crate::RedisStore::connect) fails with
    /// [`Denied`](token_cache_core::ErrorKind::Denied).
    pub password: Option<SecretString>,
    /// The number of the Redis database. Default: 0. [`RedisStore::connect`](crate::RedisStore::connect) fails with
    /// [`Config`](token_cache_core::ErrorKind::Config) if the Redis server does not have this database. A Cluster has only the database 0.
    pub db: u32,
    /// The TLS settings of connections to the Redis servers and the Sentinels. Default: `None`, which connects without TLS. A URL whose
    /// scheme starts with `rediss` sets it.
    ///
    /// Without the feature `tls`, any other value than `None` is an error of kind [`Config`](token_cache_core::ErrorKind::Config). A
    /// connection to a Unix socket never uses TLS.
    pub tls: Option<Tls>,
    /// The prefix of the names of all keys and channels in Redis: 1 to 64 ASCII letters, digits or `-_.:`. Default: `tc`.
    /// [`RedisStore::connect`](crate::RedisStore::connect) refuses any other prefix with [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// App servers that share sessions need the same prefix; with different ones, they do not see each other's sessions and sign-outs.
    /// Another fleet in the same Redis database needs another prefix. If it has the same prefix and another
    /// [`Secret`](token_cache_core::Secret), opening its cache fails.
    pub prefix: String,
    /// The limit for opening one connection to a Redis server, over zero and at most 10 minutes. Default: 1 s. Behind Sentinels, it
    /// includes finding the primary. [`RedisStore::connect`](crate::RedisStore::connect) refuses zero and longer limits with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// If the limit passes, this attempt to connect has failed. If no attempt succeeds, the call fails with
    /// [`TimedOut`](token_cache_core::ErrorKind::TimedOut) or [`Unavailable`](token_cache_core::ErrorKind::Unavailable).
    #[serde(deserialize_with = "duration::deserialize")]
    pub connect_timeout: Duration,
    /// The limit for all requests to Redis of one call of the cache (a method of `TokenCache` or `Session`) together, retries included. In
    /// a [bulk sign-out](token_cache_core::BulkSignOut), it applies to each request separately. Default: 1 s.
    /// [`RedisStore::connect`](crate::RedisStore::connect) refuses zero and limits over 10 minutes with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// If Redis does not answer within the limit, the call fails with [`TimedOut`](token_cache_core::ErrorKind::TimedOut).
    #[serde(deserialize_with = "duration::deserialize")]
    pub operation_timeout: Duration,
    /// The Redis servers that must confirm a sign-out, a sign-in, a refresh lock or the result of a refresh before the call of the cache
    /// succeeds. Default: [`Durability::Primary`], the primary alone.
    pub durability: Durability,
    /// If `true`, the number of replicas in [`durability`](Self::durability) must confirm every write of an entry. If `false`, which is the
    /// default, they confirm only the result of a refresh. A failover can then undo any other write of an entry: the entry has an older
    /// value again, or is missing.
    ///
    /// `true` needs [`Durability::Replicas`]. With [`Durability::Primary`], [`RedisStore::connect`](crate::RedisStore::connect) fails with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    pub confirm_every_write: bool,
}

/// The TLS settings of connections to Redis: paths of files with certificates. It is the value of the field [`RedisConfig::tls`]. TLS is
/// rustls with ring.
///
/// `Tls::default()` trusts the root certificates of the machine, and sends no client certificate.
/// [`RedisStore::connect`](crate::RedisStore::connect) reads the files, and fails with [`Config`](token_cache_core::ErrorKind::Config) if
/// one of them cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The path of a PEM file with one or several root certificates. Only these root certificates are trusted: they **replace** those of
    /// the machine. Default: `None`, which trusts the root certificates of the machine.
    pub ca: Option<PathBuf>,
    /// The path of a PEM file with the client certificate that is sent to the Redis servers. Default: `None`, which sends no client
    /// certificate. [`RedisStore::connect`](crate::RedisStore::connect) refuses `cert` without [`key`](Self::key) with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    pub cert: Option<PathBuf>,
    /// The path of a PEM file with the private key of the client certificate. Default: `None`, which sends no client certificate.
    /// [`RedisStore::connect`](crate::RedisStore::connect) refuses `key` without [`cert`](Self::cert) with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// If every user of the machine can read the file, the store opens nevertheless, and
    /// [`TokenCache::diagnostics`](token_cache_core::TokenCache::diagnostics) reports it.
    pub key: Option<PathBuf>,
}

/// The Redis servers that must confirm a write before the call of the cache succeeds. It decides which writes a failover to a replica can
/// lose. It is the value of the field [`RedisConfig::durability`].
///
/// It applies to these writes:
///
/// - sign-outs and their not-before times (a sign-in of a user who authenticated at such a time or earlier is refused);
/// - sign-ins and their entries in the [sid index](token_cache_core::SidIndex);
/// - [refresh locks](token_cache_core::RefreshLocks), and the results of refreshes.
///
/// For other writes of entries, [`confirm_every_write`](RedisConfig::confirm_every_write) decides. The persistence settings of Redis alone
/// decide which writes a crash without a failover loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// The primary alone must confirm the write. Use it for Redis without replicas. A failover to a replica loses all writes that this
    /// replica had
    /// not received:
    ///
    /// - A session that was signed out just before the failover can be live again: the sign-out is not final (G1).
    /// - A sign-in that began before such a sign-out can be accepted (G2).
    /// - A new session can be lost: its user must sign in again. An entry can be lost or have an older value.
    /// - The new refresh token of a refresh can be lost: the old one, which is used up, is sent again (G6).
    #[default]
    Primary,
    /// The primary and this number of replicas must confirm the write (the Redis command `WAIT`). Set the number of all replicas that a
    /// failover may
    /// promote. A failover to a replica that has confirmed a write does not lose the write. With a smaller number, a failover may promote a
    /// replica that has not confirmed it, and the write is then lost.
    ///
    /// If fewer replicas confirm within [`operation_timeout`](RedisConfig::operation_timeout), the call fails with
    /// [`Unavailable`](token_cache_core::ErrorKind::Unavailable), although the primary has applied the write. Repeat the call.
    /// [`RedisStore::connect`](crate::RedisStore::connect) also makes such a write, and fails with the same error. It refuses `Replicas(0)`
    /// with [`Config`](token_cache_core::ErrorKind::Config).
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
    /// Creates the settings from the URL of a store, such as `redis://cache.internal/?prefix=shop`. A setting that the URL does not contain
    /// has its default. [The crate's documentation](crate) lists the schemes and parameters. No request is sent.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if the URL is invalid. The message names the wrong part of the URL and the valid
    /// values. It never contains the URL, which may contain a password.
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

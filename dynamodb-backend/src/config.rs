use std::time::Duration;

use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::{SweepOptions, duration};

/// The settings of a [`DynamoDbStore`](crate::DynamoDbStore): the table, the AWS Region, the timeouts, and whether items of ended sessions
/// are deleted early. Pass it to [`DynamoDbStore::connect`](crate::DynamoDbStore::connect), which fails with
/// [`Config`](token_cache_core::ErrorKind::Config) if a setting is invalid.
///
/// Create it in one of three ways: with [`from_url`](Self::from_url), with [`new`](Self::new) and by setting fields, or by deserializing a
/// configuration file with serde. Every field except `table` has a default. In a configuration file, a duration is a string with a unit
/// (`"500ms"`, `"2s"`). Deserializing fails if the file has an unknown field or an unreadable value, or no `table`.
///
/// Credentials are not among the settings: the default chain of the AWS SDK finds them. If it finds none,
/// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) fails with [`Denied`](token_cache_core::ErrorKind::Denied).
///
/// ```
/// use std::time::Duration;
/// use token_cache::dynamodb::DynamoDbConfig;
///
/// let config = DynamoDbConfig::from_url("dynamodb://tokens?region=eu-central-1&prefix=shop&operation_timeout=500ms")?;
/// assert_eq!((config.table.as_str(), config.prefix.as_str()), ("tokens", "shop"));
/// assert_eq!(config.operation_timeout, Duration::from_millis(500));
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DynamoDbConfig {
    /// The name of the DynamoDB table: 3 to 255 ASCII letters, digits or `-_.`. [`DynamoDbStore::connect`](crate::DynamoDbStore::connect)
    /// fails with [`Config`](token_cache_core::ErrorKind::Config) if the name is invalid. It fails in the same way if the table does not
    /// exist, or does not have the key and the time-to-live that [the crate's documentation](crate) describes.
    pub table: String,
    /// The AWS Region of the table, such as `eu-central-1`. Default: `None`, which takes the Region that the AWS SDK finds in the
    /// environment, the profile or the instance metadata. If it finds none, [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) fails
    /// with [`Config`](token_cache_core::ErrorKind::Config).
    #[serde(default)]
    pub region: Option<String>,
    /// The URL of the DynamoDB endpoint: that of a VPC endpoint, or of a local engine for tests. Default: `None`, which takes the endpoint
    /// of the Region. It is `https://` or `http://` with a host and an optional port;
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses any other URL with
    /// [`Config`](token_cache_core::ErrorKind::Config). A connection to an `http://` endpoint has no TLS.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The prefix of all partition keys in the table: 1 to 64 ASCII letters, digits or `-_.:`. Default: `tc`.
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses any other prefix with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// App servers that share sessions need the same prefix; with different ones, they do not see each other's sessions and sign-outs.
    /// Another fleet in the same table needs another prefix. If it has the same prefix and another [`Secret`](token_cache_core::Secret),
    /// opening its cache fails.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// The limit for opening one connection to DynamoDB, over zero and at most 10 minutes. Default: 1 s.
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses zero and longer limits with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// If the limit passes, this attempt has failed, and the request is repeated while [`operation_timeout`](Self::operation_timeout)
    /// leaves time. If no attempt succeeds, the call of the cache fails with [`TimedOut`](token_cache_core::ErrorKind::TimedOut) or
    /// [`Unavailable`](token_cache_core::ErrorKind::Unavailable).
    #[serde(
        default = "default_connect_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub connect_timeout: Duration,
    /// The limit for all requests to DynamoDB of one call of the cache (a method of `TokenCache` or `Session`) together, retries included.
    /// Default: 2 s. [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses zero and limits over 10 minutes with
    /// [`Config`](token_cache_core::ErrorKind::Config). In a [bulk sign-out](token_cache_core::BulkSignOut), it applies separately to each
    /// account, and to each page of the list of an issuer's accounts.
    ///
    /// If DynamoDB does not answer within the limit, the call fails with [`TimedOut`](token_cache_core::ErrorKind::TimedOut).
    #[serde(
        default = "default_operation_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub operation_timeout: Duration,
    /// The interval at which one of the app servers scans the table and deletes the items of ended sessions, from a minute to 30 days.
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses any other interval with
    /// [`Config`](token_cache_core::ErrorKind::Config). Default: `None`: no app server scans, and the table's time-to-live deletes these
    /// items, within days of their expiry.
    ///
    /// The interval does not affect sign-outs: after a sign-out, no item of the ended sessions can be read, even if it is not deleted yet.
    #[serde(default, deserialize_with = "duration::deserialize_period")]
    pub sweep: Option<Duration>,
    /// The speed of a scan by [`sweep`](Self::sweep): the read units of the table that it may consume per second, on average. A read unit
    /// is a strongly consistent read of 4 KB. Default: 100, which are 400 KB per second. The field has no effect if `sweep` is `None`, but
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) always refuses zero with [`Config`](token_cache_core::ErrorKind::Config).
    #[serde(default = "default_sweep_read_units")]
    pub sweep_read_units: u32,
}

fn default_prefix() -> String {
    "tc".to_owned()
}

fn default_connect_timeout() -> Duration {
    Duration::from_secs(1)
}

fn default_operation_timeout() -> Duration {
    Duration::from_secs(2)
}

const fn default_sweep_read_units() -> u32 {
    SweepOptions::READ_UNITS
}

impl DynamoDbConfig {
    /// Creates the settings for the table named `table`. All other fields have their defaults. Nothing is checked here:
    /// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect) refuses an invalid name with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            region: None,
            endpoint: None,
            prefix: default_prefix(),
            connect_timeout: default_connect_timeout(),
            operation_timeout: default_operation_timeout(),
            sweep: None,
            sweep_read_units: default_sweep_read_units(),
        }
    }

    /// Creates the settings from the URL of a store, such as `dynamodb://tokens?region=eu-central-1`. A setting that the URL does not
    /// contain has its default. [The crate's documentation](crate) lists the parameters. No request is sent.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if the URL is invalid. The message names the wrong part of the URL and the valid
    /// values. It never contains the URL.
    pub fn from_url(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }

    /// Checks the settings without a request.
    pub(crate) fn check(&self) -> Result<()> {
        check_table(&self.table)?;
        check_prefix(&self.prefix).map_err(invalid_config)?;
        if let Some(region) = &self.region {
            check_region(region)?;
        }
        if let Some(endpoint) = &self.endpoint {
            check_endpoint(endpoint)?;
        }
        duration::check("connect_timeout", self.connect_timeout)?;
        duration::check("operation_timeout", self.operation_timeout)?;
        if let Some(sweep) = self.sweep {
            duration::check_period("sweep", sweep)?;
        }
        if self.sweep_read_units == 0 {
            return Err(invalid_config(
                "`sweep_read_units` is 0; it must be 1 or more",
            ));
        }
        Ok(())
    }
}

fn check_table(table: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !(3..=255).contains(&table.len()) || !table.chars().all(fits) {
        return Err(invalid_config(
            "the table's name is invalid; it must have 3 to 255 letters, digits or `-_.`",
        ));
    }
    Ok(())
}

fn check_region(region: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || region.len() > 64 || !region.chars().all(fits) {
        return Err(invalid_config(
            "the region is invalid; write it like `eu-central-1`",
        ));
    }
    Ok(())
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let authority = ["https://", "http://"]
        .iter()
        .find_map(|scheme| endpoint.strip_prefix(scheme))
        .ok_or_else(|| {
            invalid_config("the endpoint is invalid; it must start with `https://` or `http://`")
        })?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(fits) {
        return Err(invalid_config(
            "the endpoint is invalid; it must be a host with an optional port, without user, path or query, such as \
             `https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com`",
        ));
    }
    Ok(())
}

pub(crate) fn invalid_config(message: impl Into<String>) -> Error {
    Error::config("configure the DynamoDB store", message)
}

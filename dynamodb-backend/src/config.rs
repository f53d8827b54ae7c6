use std::time::Duration;

use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::{SweepOptions, duration};

/// The settings of the DynamoDB store: the table, and how to reach it. Pass it to
/// [`DynamoDbStore::connect`](crate::DynamoDbStore::connect).
///
/// Create it with [`from_url`](Self::from_url), from a configuration file, or with [`new`](Self::new) and by setting fields. Every field
/// except `table` has a default. Unknown fields of a configuration file are refused. Durations are strings with a unit (`"500ms"`, `"2s"`).
/// Credentials come from the default chain of the AWS SDK.
///
/// ```
/// use std::time::Duration;
/// use token_cache_dynamodb::DynamoDbConfig;
///
/// let config = DynamoDbConfig::from_url("dynamodb://tokens?region=eu-central-1&prefix=shop&operation_timeout=500ms")?;
/// assert_eq!((config.table.as_str(), config.prefix.as_str()), ("tokens", "shop"));
/// assert_eq!(config.operation_timeout, Duration::from_millis(500));
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DynamoDbConfig {
    /// The name of the table. It must exist, with the key and the time-to-live that [the crate's documentation](crate) describes.
    pub table: String,
    /// The AWS Region. Default: `None`, which takes that of the SDK's chain (environment, profile, instance metadata).
    #[serde(default)]
    pub region: Option<String>,
    /// The URL of an endpoint in place of the Region's: a VPC endpoint, or an engine for tests. With `http://` the connection has no TLS.
    /// Default: `None`, which takes that of the Region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The prefix of every partition key, one for each namespace: 1 to 64 letters, digits or `-_.:`. Default: `tc`. All app servers that
    /// share sessions need the same prefix.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// The limit for opening one connection. Default: 1 s.
    #[serde(
        default = "default_connect_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub connect_timeout: Duration,
    /// The limit for all requests of one call of the cache together, retries included. In a bulk sign-out it applies to each step.
    /// Default: 2 s.
    #[serde(
        default = "default_operation_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub operation_timeout: Duration,
    /// The interval at which one of the app servers deletes the items of ended sessions, from a minute to 30 days. Default: `None`, which
    /// leaves them to the table's time-to-live. Deleted or not, they cannot be read after the sign-out.
    #[serde(default, deserialize_with = "duration::deserialize_period")]
    pub sweep: Option<Duration>,
    /// The read units per second that a sweep may consume, at least 1. Default: 100. Without `sweep` it has no effect.
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
    /// Creates the settings for a table, with the default for everything else.
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

    /// Creates the settings from a URL. Parameters that the URL does not have keep their defaults. [The crate's documentation](crate) lists
    /// the parameters.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config), before any request. The message names the part of the URL and the valid values, and
    /// never contains the URL.
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

use std::time::Duration;

use serde::Deserialize;
use token_cache_core::{Error, Result, backend::check_prefix};

use crate::{SweepOptions, duration};

/// Which table, and how to reach it. Credentials are found by the AWS SDK's default chain, never given here.
///
/// Every field but the table has its default, so a configuration file names what differs; an unknown field is refused.
/// Durations are texts with a unit (`"500ms"`, `"2s"`).
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
    /// The table's name.
    pub table: String,
    /// The AWS Region. Default: what the SDK's chain finds in the environment, the profile, the machine's metadata.
    #[serde(default)]
    pub region: Option<String>,
    /// Another endpoint than the Region's: a VPC endpoint, or an engine for tests. Default: none.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// What every partition key starts with; each namespace has its own. Default: `tc`.
    ///
    /// Letters, digits and `-_.:`, up to 64 of them.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// How long opening one connection may take. Default: 1 s.
    #[serde(
        default = "default_connect_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub connect_timeout: Duration,
    /// How long all requests of one call of the cache may take together, retries included; a bulk sign-out has it for each of its steps.
    /// Default: 2 s.
    #[serde(
        default = "default_operation_timeout",
        deserialize_with = "duration::deserialize"
    )]
    pub operation_timeout: Duration,
    /// How often the table is swept of what sign-outs left, by one of the servers that do. Default: never, which leaves it to the
    /// table's time-to-live.
    #[serde(default, deserialize_with = "duration::deserialize_period")]
    pub sweep: Option<Duration>,
    /// How many read units a second sweeping may take. Default: 100.
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
    /// A table, with the default of everything else.
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

    /// What a URL says: see [the crate's documentation](crate) for the parameters.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config), before any request, naming the part and what is valid there. It
    /// never holds the URL.
    pub fn from_url(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }

    /// What can be told wrong without a request.
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
            return Err(invalid_config("`sweep_read_units` must be 1 or more"));
        }
        Ok(())
    }
}

fn check_table(table: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !(3..=255).contains(&table.len()) || !table.chars().all(fits) {
        return Err(invalid_config(
            "the table's name must have 3 to 255 letters, digits or `-_.`",
        ));
    }
    Ok(())
}

fn check_region(region: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || region.len() > 64 || !region.chars().all(fits) {
        return Err(invalid_config("the region must look like `eu-central-1`"));
    }
    Ok(())
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let authority = ["https://", "http://"]
        .iter()
        .find_map(|scheme| endpoint.strip_prefix(scheme))
        .ok_or_else(|| invalid_config("the endpoint must start with `https://` or `http://`"))?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(fits) {
        return Err(invalid_config(
            "the endpoint must be a host and perhaps a port, `https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com`, \
             without user, path or query",
        ));
    }
    Ok(())
}

pub(crate) fn invalid_config(message: impl Into<String>) -> Error {
    Error::config("configure the DynamoDB store", message)
}

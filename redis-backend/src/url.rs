use std::path::PathBuf;

use token_cache_core::{
    Result,
    backend::{self, percent_decoded},
};

use crate::{
    Address, Durability, RedisConfig, Sentinel, Tls, Topology, duration, error::invalid_config,
};

/// The URL schemes that [`RedisConfig::from_url`] accepts in this build, in lower case. The features `tls`, `cluster` and `sentinel` add
/// schemes.
///
/// `from_url` also accepts upper case, and `valkey` and `valkeys` in place of `redis` and `rediss`. These forms are not in the list. A URL
/// with any other scheme is an error of kind [`Config`](token_cache_core::ErrorKind::Config).
pub const SCHEMES: &[&str] = &[
    "redis",
    "redis+unix",
    #[cfg(feature = "tls")]
    "rediss",
    #[cfg(feature = "cluster")]
    "redis+cluster",
    #[cfg(all(feature = "cluster", feature = "tls"))]
    "rediss+cluster",
    #[cfg(feature = "sentinel")]
    "redis+sentinel",
    #[cfg(all(feature = "sentinel", feature = "tls"))]
    "rediss+sentinel",
];

/// The features that schemes need.
const FEATURES: &[(&str, &str)] = &[
    ("rediss", "the feature `tls`"),
    ("redis+cluster", "the feature `cluster`"),
    ("rediss+cluster", "the features `cluster` and `tls`"),
    ("redis+sentinel", "the feature `sentinel`"),
    ("rediss+sentinel", "the features `sentinel` and `tls`"),
];

const COMMON: &[&str] = &[
    "prefix",
    "connect_timeout",
    "operation_timeout",
    "replicas",
    "confirm_every_write",
];
const TLS: &[&str] = &["ca", "cert", "key"];
const SENTINEL: &[&str] = &["sentinel_username", "sentinel_password"];
const SOCKET: &[&str] = &["db"];

/// The parts of a URL, percent-encoded.
struct Parts<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

pub(crate) fn parse(url: &str) -> Result<RedisConfig> {
    let (given, rest) = url.split_once("://").ok_or_else(|| {
        invalid_config("the URL has no scheme; start it with `redis://`, for example")
    })?;
    let scheme = canonical(given);
    if !SCHEMES.contains(&scheme.as_str()) {
        return Err(invalid_config(unknown(given, &scheme)));
    }
    let parts = split(rest)?;
    let mut config = RedisConfig {
        username: parts.user.map(decode).transpose()?,
        password: parts.password.map(decode).transpose()?.map(Into::into),
        ..RedisConfig::default()
    };
    let (base, kind) = scheme.split_once('+').unwrap_or((&scheme, ""));
    let mut valid = COMMON.to_vec();
    if base == "rediss" {
        config.tls = Some(Tls::default());
        valid.extend(TLS);
    }
    match kind {
        "unix" => {
            if !parts.hosts.is_empty() {
                return Err(invalid_config(
                    "the URL of a socket has a host; write three slashes before the path: `redis+unix:///run/redis.sock`",
                ));
            }
            config.topology = Topology::Socket(PathBuf::from(decode(parts.path)?));
            valid.extend(SOCKET);
        }
        "cluster" => {
            config.topology = Topology::Cluster(addresses(parts.hosts, Address::REDIS_PORT)?);
            config.db = database(parts.path.trim_start_matches('/'))?;
        }
        "sentinel" => {
            let (service, db) = service(parts.path)?;
            let sentinels = addresses(parts.hosts, Address::SENTINEL_PORT)?;
            config.topology = Topology::Sentinel(Sentinel::new(sentinels, service));
            config.db = db;
            valid.extend(SENTINEL);
        }
        _ => {
            config.topology =
                Topology::Standalone(Address::parse(parts.hosts, Address::REDIS_PORT)?);
            config.db = database(parts.path.trim_start_matches('/'))?;
        }
    }
    parameters(&mut config, parts.query, &valid)?;
    config.check()?;
    Ok(config)
}

/// Returns the canonical form of a scheme in [`SCHEMES`]: in lower case, and `redis` for `valkey`.
fn canonical(scheme: &str) -> String {
    let lower = scheme.to_ascii_lowercase();
    let (base, kind) = lower.split_at(lower.find('+').unwrap_or(lower.len()));
    match base {
        "valkey" => format!("redis{kind}"),
        "valkeys" => format!("rediss{kind}"),
        _ => lower,
    }
}

/// Returns the message for an unknown scheme. Text that cannot be a scheme is not quoted, since it may be a part of a password.
fn unknown(given: &str, scheme: &str) -> String {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let what = if !given.is_empty() && given.len() <= 32 && given.bytes().all(valid) {
        format!("unknown scheme `{given}` in the URL")
    } else {
        "the URL has no scheme".to_owned()
    };
    let compiled_in = SCHEMES.join(", ");
    let missing = FEATURES.iter().find(|(known, _)| *known == scheme);
    match missing {
        Some((_, features)) => format!(
            "{what}: this build supports {compiled_in}; add {features} of token-cache-redis for it"
        ),
        None => format!(
            "{what}: this build supports {compiled_in} (`valkey` and `valkeys` mean the same as `redis` and `rediss`)"
        ),
    }
}

fn split(rest: &str) -> Result<Parts<'_>> {
    if rest.contains('#') {
        return Err(invalid_config("the URL contains a `#`; write it as `%23`"));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };
    let (user, password) = match credentials.map(|both| both.split_once(':').unwrap_or((both, "")))
    {
        None => (None, None),
        Some((user, password)) => (Some(user), Some(password)),
    };
    Ok(Parts {
        user: user.filter(|user| !user.is_empty()),
        password: password.filter(|password| !password.is_empty()),
        hosts,
        path,
        query,
    })
}

fn addresses(hosts: &str, default_port: u16) -> Result<Vec<Address>> {
    hosts
        .split(',')
        .map(|host| Address::parse(host, default_port))
        .collect()
}

fn service(path: &str) -> Result<(String, u32)> {
    let path = path.trim_start_matches('/');
    let (service, db) = path.split_once('/').unwrap_or((path, ""));
    Ok((decode(service)?, database(db)?))
}

fn database(text: &str) -> Result<u32> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        invalid_config("the path of the URL is invalid; it must be the number of a database")
    })
}

fn parameters(config: &mut RedisConfig, query: &str, valid: &[&str]) -> Result<()> {
    for parameter in backend::parameters(query, valid) {
        let (name, value) = parameter.map_err(invalid_config)?;
        set(config, name, value)?;
    }
    Ok(())
}

fn set(config: &mut RedisConfig, name: &str, value: String) -> Result<()> {
    match (name, &mut config.tls, &mut config.topology) {
        ("prefix", ..) => config.prefix = value,
        ("connect_timeout", ..) => config.connect_timeout = duration::parse(name, &value)?,
        ("operation_timeout", ..) => config.operation_timeout = duration::parse(name, &value)?,
        ("replicas", ..) => {
            let replicas = value.parse().map_err(|_| {
                invalid_config("`replicas` is invalid; it must be a number, 1 or more")
            })?;
            config.durability = Durability::Replicas(replicas);
        }
        ("confirm_every_write", ..) => {
            config.confirm_every_write = value.parse().map_err(|_| {
                invalid_config("`confirm_every_write` is invalid; it must be `true` or `false`")
            })?;
        }
        ("db", ..) => config.db = database(&value)?,
        ("ca", Some(tls), _) => tls.ca = Some(value.into()),
        ("cert", Some(tls), _) => tls.cert = Some(value.into()),
        ("key", Some(tls), _) => tls.key = Some(value.into()),
        ("sentinel_username", _, Topology::Sentinel(sentinel)) => sentinel.username = Some(value),
        ("sentinel_password", _, Topology::Sentinel(sentinel)) => {
            sentinel.password = Some(value.into());
        }
        _ => {
            return Err(invalid_config(format!(
                "the parameter `{name}` is not valid for this scheme; remove it"
            )));
        }
    }
    Ok(())
}

fn decode(text: &str) -> Result<String> {
    percent_decoded(text).map_err(invalid_config)
}

#[cfg(test)]
mod tests;

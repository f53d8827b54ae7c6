use std::path::PathBuf;

use token_cache_core::Result;

use crate::{Address, Durability, RedisConfig, Sentinel, Tls, Topology, config::refused, duration};

/// The URL schemes that are compiled in.
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

const COMMON: &[&str] = &["prefix", "connect_timeout", "operation_timeout", "replicas"];
const TLS: &[&str] = &["ca", "cert", "key"];
const SENTINEL: &[&str] = &["sentinel_username", "sentinel_password"];
const SOCKET: &[&str] = &["db"];

/// The parts of a URL, still encoded.
struct Parts<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

pub(crate) fn parse(url: &str) -> Result<RedisConfig> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| refused("a URL starts with a scheme and `://`"))?;
    if !SCHEMES.contains(&scheme) {
        return Err(refused(format!(
            "the URL's scheme is none of those compiled in ({})",
            SCHEMES.join(", ")
        )));
    }
    let parts = split(rest)?;
    let mut config = RedisConfig {
        username: parts.user.map(decode).transpose()?,
        password: parts.password.map(decode).transpose()?.map(Into::into),
        ..RedisConfig::default()
    };
    let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    let mut valid = COMMON.to_vec();
    if base == "rediss" {
        config.tls = Some(Tls::default());
        valid.extend(TLS);
    }
    match kind {
        "unix" => {
            if !parts.hosts.is_empty() {
                return Err(refused(
                    "the path of a socket follows three slashes: `redis+unix:///run/redis.sock`",
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

fn split(rest: &str) -> Result<Parts<'_>> {
    if rest.contains('#') {
        return Err(refused("the URL holds a `#`; write it as `%23`"));
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
    text.parse()
        .map_err(|_| refused("the path of the URL is the number of a database"))
}

fn parameters(config: &mut RedisConfig, query: &str, valid: &[&str]) -> Result<()> {
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !valid.contains(&name) {
            return Err(refused(format!(
                "the URL has an unknown parameter{}; valid are {}",
                shown(name),
                valid.join(", ")
            )));
        }
        if seen.contains(&name) {
            return Err(refused(format!("the URL gives `{name}` twice")));
        }
        seen.push(name);
        let value = decode(value)?;
        if value.is_empty() {
            return Err(refused(format!(
                "the URL's parameter `{name}` is empty; give it a value or leave it out"
            )));
        }
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
            let replicas = value
                .parse()
                .map_err(|_| refused("`replicas` is a number, 1 or more"))?;
            config.durability = Durability::Replicas(replicas);
        }
        ("db", ..) => config.db = database(&value)?,
        ("ca", Some(tls), _) => tls.ca = Some(value.into()),
        ("cert", Some(tls), _) => tls.cert = Some(value.into()),
        ("key", Some(tls), _) => tls.key = Some(value.into()),
        ("sentinel_username", _, Topology::Sentinel(sentinel)) => sentinel.username = Some(value),
        ("sentinel_password", _, Topology::Sentinel(sentinel)) => {
            sentinel.password = Some(value.into());
        }
        _ => return Err(refused(format!("the URL can't give `{name}`"))),
    }
    Ok(())
}

/// The name of a parameter, if it looks like one: a password that was not encoded may have ended up there.
fn shown(name: &str) -> String {
    let looks_like_one =
        name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if looks_like_one {
        format!(" `{name}`")
    } else {
        String::new()
    }
}

/// Undoes percent-encoding (RFC 3986, section 2.1).
fn decode(text: &str) -> Result<String> {
    let malformed =
        || refused("the URL holds a `%` that starts no encoded byte; write it as `%25`");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let (high, low) = digit().zip(digit()).ok_or_else(malformed)?;
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| malformed())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| refused("an encoded part of the URL is no UTF-8"))
}

use std::path::PathBuf;

use token_cache_core::{
    Result,
    backend::{self, percent_decoded},
};

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
    for parameter in backend::parameters(query, valid) {
        let (name, value) = parameter.map_err(refused)?;
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

fn decode(text: &str) -> Result<String> {
    percent_decoded(text).map_err(refused)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use token_cache_core::ErrorKind;

    use super::*;

    fn refusal(url: &str) -> String {
        match parse(url) {
            Ok(config) => panic!("{url} is taken as {config:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config, "{url}");
                error.to_string()
            }
        }
    }

    #[test]
    fn a_url_says_all_that_the_settings_say() {
        let config = parse(
            "redis://app:p%40ss@cache.internal:7000/3?prefix=shop&connect_timeout=250ms&operation_timeout=2s&replicas=2",
        )
        .unwrap();
        assert_eq!(
            config.topology,
            Topology::Standalone(Address::new("cache.internal", 7000))
        );
        assert_eq!(config.username.as_deref(), Some("app"));
        assert_eq!(config.password.unwrap().expose_secret(), "p@ss");
        assert_eq!((config.db, config.prefix.as_str()), (3, "shop"));
        assert_eq!(config.connect_timeout, Duration::from_millis(250));
        assert_eq!(config.operation_timeout, Duration::from_secs(2));
        assert_eq!(config.durability, Durability::Replicas(2));
    }

    #[test]
    fn what_a_url_leaves_out_is_the_default() {
        let config = parse("redis://cache").unwrap();
        let defaults = RedisConfig::default();
        assert_eq!(
            config.topology,
            Topology::Standalone(Address::new("cache", 6379))
        );
        assert!(config.username.is_none() && config.password.is_none() && config.tls.is_none());
        assert_eq!(config.prefix, defaults.prefix);
        assert_eq!(config.operation_timeout, defaults.operation_timeout);
    }

    #[test]
    fn a_password_stands_without_a_user() {
        let config = parse("redis://:hunter2@[::1]:6380").unwrap();
        assert_eq!(
            config.topology,
            Topology::Standalone(Address::new("::1", 6380))
        );
        assert!(config.username.is_none());
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_socket_is_a_path() {
        let config = parse("redis+unix:///run/redis%20a.sock?db=2").unwrap();
        assert_eq!(
            config.topology,
            Topology::Socket(PathBuf::from("/run/redis a.sock"))
        );
        assert_eq!(config.db, 2);
        assert!(refusal("redis+unix://run/redis.sock").contains("three slashes"));
        assert!(refusal("redis+unix://").contains("empty"));
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn a_cluster_is_some_of_its_nodes() {
        let config = parse("redis+cluster://a:1,b").unwrap();
        let nodes = vec![Address::new("a", 1), Address::new("b", 6379)];
        assert_eq!(config.topology, Topology::Cluster(nodes));
        assert!(refusal("redis+cluster://a/1").contains("database"));
        assert!(refusal("redis+cluster://a,,b").contains("host"));
    }

    #[cfg(feature = "sentinel")]
    #[test]
    fn sentinels_watch_a_service() {
        let config = parse("redis+sentinel://u:p@a,b:2/main/4?sentinel_password=s").unwrap();
        let Topology::Sentinel(sentinel) = config.topology else {
            panic!("{config:?}");
        };
        assert_eq!(
            sentinel.sentinels,
            [Address::new("a", 26379), Address::new("b", 2)]
        );
        assert_eq!(sentinel.service, "main");
        assert_eq!(sentinel.password.unwrap().expose_secret(), "s");
        assert_eq!((config.db, config.username.as_deref()), (4, Some("u")));
        assert!(refusal("redis+sentinel://a").contains("service"));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_takes_its_files() {
        let config = parse("rediss://a?ca=/etc/ca.pem").unwrap();
        assert_eq!(config.tls.unwrap().ca, Some(PathBuf::from("/etc/ca.pem")));
        assert!(refusal("rediss://a?cert=/c.pem").contains("both"));
        assert!(refusal("redis://a?ca=/etc/ca.pem").contains("unknown parameter `ca`"));
    }

    #[test]
    fn each_mistake_is_named() {
        for (url, part) in [
            ("redis:a", "://"),
            ("http://a", "redis"),
            ("redis://", "host"),
            ("redis://a:0", "port"),
            ("redis://a:70000", "port"),
            ("redis://a:b", "port"),
            ("redis://[::1", "bracket"),
            ("redis://[::1]x", "colon"),
            ("redis://a/x", "database"),
            (
                "redis://a?timeout=1s",
                "unknown parameter `timeout`; valid are prefix",
            ),
            ("redis://a?prefix=x&prefix=y", "`prefix` twice"),
            ("redis://a?prefix=", "`prefix` is empty"),
            ("redis://a?prefix", "`prefix` is empty"),
            ("redis://a?prefix=a%7Bb", "prefix must"),
            (
                "redis://a?operation_timeout=5",
                "`operation_timeout` is a number with a unit",
            ),
            ("redis://a?operation_timeout=0ms", "over zero"),
            ("redis://a?connect_timeout=99m", "at most"),
            ("redis://a?connect_timeout=99999999999999999999s", "unit"),
            ("redis://a?replicas=0", "0 replicas"),
            ("redis://a?replicas=x", "`replicas`"),
            ("redis://a?prefix=%zz", "%25"),
            ("redis://a?prefix=%ff", "UTF-8"),
            ("redis://u:p#w@a", "%23"),
        ] {
            let refusal = refusal(url);
            assert!(refusal.contains(part), "{url}: {refusal}");
        }
    }

    #[test]
    fn no_refusal_repeats_a_password() {
        for url in [
            "redis://u:hunter2@",
            "redis://u:hun?ter2@a",
            "redis://u:hunter2#@a",
            "redis://u:hunter2@a:b",
            "hunter2://a",
        ] {
            let refusal = refusal(url);
            assert!(
                !refusal.contains("hunter2") && !refusal.contains("ter2"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_file_says_the_same() {
        let config: RedisConfig = serde_json::from_str(
            r#"{
                "topology": {"standalone": "cache:7000"},
                "password": "hunter2",
                "operation_timeout": "500ms",
                "durability": {"replicas": 1}
            }"#,
        )
        .unwrap();
        assert_eq!(
            config.topology,
            Topology::Standalone(Address::new("cache", 7000))
        );
        assert_eq!(config.operation_timeout, Duration::from_millis(500));
        assert_eq!(config.durability, Durability::Replicas(1));
        assert!(serde_json::from_str::<RedisConfig>(r#"{"prefx": "a"}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", scheme in 0..SCHEMES.len()) {
            let _ = parse(&text);
            let _ = parse(&format!("{}://{text}", SCHEMES[scheme]));
        }
    }
}

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
fn a_url_has_every_setting() {
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
fn a_scheme_is_known_by_its_other_names() {
    for (url, same) in [
        ("REDIS://cache", "redis://cache"),
        ("valkey://cache:1/2", "redis://cache:1/2"),
        ("Valkey+Unix:///run/a.sock", "redis+unix:///run/a.sock"),
        #[cfg(feature = "tls")]
        ("valkeys://cache", "rediss://cache"),
        #[cfg(feature = "sentinel")]
        ("valkey+sentinel://a/main", "redis+sentinel://a/main"),
        #[cfg(feature = "cluster")]
        ("VALKEY+CLUSTER://a", "redis+cluster://a"),
    ] {
        let (config, same) = (parse(url).unwrap(), parse(same).unwrap());
        assert_eq!(config.topology, same.topology, "{url}");
        assert_eq!((config.db, config.tls), (same.db, same.tls), "{url}");
    }
}

#[test]
fn an_unknown_scheme_is_quoted_with_those_that_are_known() {
    let refused = refusal("reddis://cache");
    assert!(
        refused.contains("unknown scheme `reddis`") && refused.contains("supports redis, "),
        "{refused}"
    );
    #[cfg(not(feature = "cluster"))]
    assert!(refusal("valkey+cluster://a").contains("feature `cluster`"));
    #[cfg(not(feature = "tls"))]
    assert!(refusal("valkeys://a").contains("feature `tls`"));
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
        ("redis://[::1]x", "the port of an IPv6 address"),
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
            "`operation_timeout` is invalid; it must be a number with a unit",
        ),
        ("redis://a?operation_timeout=0ms", "over zero"),
        ("redis://a?connect_timeout=99m", "at most"),
        ("redis://a?connect_timeout=1h", "at most"),
        ("redis://a?connect_timeout=99999999999999999999s", "unit"),
        ("redis://a?replicas=0", "`replicas` is 0"),
        ("redis://a?replicas=x", "`replicas`"),
        (
            "redis://a?replicas=1&confirm_every_write=yes",
            "`true` or `false`",
        ),
        ("redis://a?confirm_every_write=true", "without `replicas`"),
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
        "u:hunter2@a://b",
    ] {
        let refusal = refusal(url);
        assert!(
            !refusal.contains("hunter2") && !refusal.contains("ter2"),
            "{refusal}"
        );
    }
}

#[test]
fn a_configuration_file_has_the_same_settings() {
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

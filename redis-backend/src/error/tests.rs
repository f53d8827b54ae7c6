use std::io;

use super::*;

fn said(line: &str) -> RedisError {
    let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
    value.extract_error().unwrap_err()
}

fn seen(error: &RedisError) -> (ErrorKind, Applied, &'static str) {
    let class = classify(error);
    let then = match (class.lost, class.transient) {
        (false, false) => "stays",
        (false, true) => "passes",
        (true, false) => "stays, on another connection",
        (true, true) => "passes, on another connection",
    };
    (class.kind, class.applied, then)
}

#[test]
fn every_refusal_of_the_server_has_its_kind() {
    use ErrorKind::{Config, Corrupt, Denied, Full, Unavailable, Unexpected};
    let elsewhere = "passes, on another connection";
    for (line, kind, then) in [
        ("WRONGPASS invalid", Denied, "stays, on another connection"),
        ("NOAUTH required.", Denied, "stays, on another connection"),
        ("NOPERM no permissions", Denied, "stays"),
        ("ERR user can't run this command", Denied, "stays"),
        ("ERR user can't access at least one", Denied, "stays"),
        ("OOM command not allowed", Full, "stays"),
        ("WRONGTYPE Operation against", Corrupt, "stays"),
        ("READONLY You can't write", Unavailable, elsewhere),
        ("MASTERDOWN Link is down", Unavailable, elsewhere),
        ("ERR max number of clients", Unavailable, elsewhere),
        ("LOADING Redis is loading", Unavailable, "passes"),
        ("CLUSTERDOWN The cluster", Unavailable, "passes"),
        ("MOVED 3999 127.0.0.1:6381", Unavailable, "passes"),
        ("ASK 3999 127.0.0.1:6381", Unavailable, "passes"),
        ("TRYAGAIN Multiple keys", Unavailable, "passes"),
        ("NOSCRIPT No matching script.", Unavailable, "passes"),
        ("NOREPLICAS Not enough", Unavailable, "passes"),
        ("BUSY Redis is busy", Unavailable, "passes"),
        ("MISCONF Redis is configured", Unavailable, "stays"),
        ("NOPROTO unsupported", Config, "stays"),
        ("ERR DB index is out of range", Config, "stays"),
        ("ERR unknown command 'HMGET'", Config, "stays"),
        ("ERR AUTH without any password configured", Config, "stays"),
        (
            "ERR This instance has cluster support disabled",
            Config,
            "stays",
        ),
        ("CROSSSLOT Keys in request", Unexpected, "stays"),
        ("EXECABORT Transaction", Unexpected, "stays"),
        ("NOTBUSY No scripts", Unexpected, "stays"),
        ("NOSUB not subscribed", Unexpected, "stays"),
        ("ERR something new", Unexpected, "stays"),
        ("NEWCODE something new", Unexpected, "stays"),
    ] {
        assert_eq!(seen(&said(line)), (kind, Applied::No, then), "{line}");
    }
}

#[test]
fn every_failure_of_the_connection_has_its_kind() {
    use Applied::{Maybe, No};
    use ErrorKind::{Config, Denied, TimedOut, Unavailable};
    use io::ErrorKind as Io;
    let (stays, passes) = (
        "stays, on another connection",
        "passes, on another connection",
    );
    for (io, kind, applied, then) in [
        (Io::TimedOut, TimedOut, Maybe, passes),
        (Io::ConnectionRefused, Unavailable, No, passes),
        (Io::ConnectionReset, Unavailable, Maybe, passes),
        (Io::BrokenPipe, Unavailable, Maybe, passes),
        (Io::UnexpectedEof, Unavailable, Maybe, passes),
        (Io::NotFound, Unavailable, No, passes),
        (Io::InvalidData, Config, No, stays),
        (Io::PermissionDenied, Denied, No, stays),
    ] {
        assert_eq!(
            seen(&io::Error::from(io).into()),
            (kind, applied, then),
            "{io:?}"
        );
    }
}

#[test]
fn every_error_of_the_drivers_own_has_its_kind() {
    use Applied::{Maybe, No};
    use ErrorKind::{Config, Denied, Unavailable, Unexpected};
    let (stays, passes) = (
        "stays, on another connection",
        "passes, on another connection",
    );
    for (driver, kind, applied, then) in [
        (RedisErrorKind::AuthenticationFailed, Denied, No, stays),
        (RedisErrorKind::InvalidClientConfig, Config, No, "stays"),
        (RedisErrorKind::RESP3NotSupported, Config, No, "stays"),
        (RedisErrorKind::EmptySentinelList, Config, No, "stays"),
        (
            RedisErrorKind::MasterNameNotFoundBySentinel,
            Config,
            No,
            "stays",
        ),
        (
            RedisErrorKind::NoValidReplicasFoundBySentinel,
            Config,
            No,
            "stays",
        ),
        (
            RedisErrorKind::ClusterConnectionNotFound,
            Unavailable,
            No,
            passes,
        ),
        (
            RedisErrorKind::UnexpectedReturnType,
            Unexpected,
            No,
            "stays",
        ),
        (RedisErrorKind::Parse, Unexpected, Maybe, passes),
        (RedisErrorKind::Client, Config, No, "stays"),
    ] {
        assert_eq!(
            seen(&(driver, "").into()),
            (kind, applied, then),
            "{driver:?}"
        );
    }
}

#[test]
fn a_refused_command_is_named() {
    let error = from_redis_error(
        "connect",
        said("NOPERM User app has no permissions to run the 'evalsha' command"),
    );
    assert!(error.to_string().contains("`evalsha`"), "{error}");
}

#[test]
fn what_the_server_quotes_stays_out_of_the_error() {
    let error = from_redis_error(
        "read an entry",
        said("ERR unknown command 'HMGET', with args beginning with: 'tc:{secret}'"),
    );
    assert!(!format!("{error:?} {error}").contains("secret"));
}

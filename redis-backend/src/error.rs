use redis::{ErrorKind as Driver, RedisError, ServerErrorKind as Server};
use token_cache_core::{Error, ErrorKind};

/// What a driver's error means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) kind: ErrorKind,
    /// What happened and what to do.
    pub(crate) message: &'static str,
    /// Whether the server may have carried the request out.
    pub(crate) applied: Applied,
    /// Whether the connection is of no more use.
    pub(crate) lost: bool,
    /// Whether the same request may succeed soon.
    pub(crate) passing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    No,
    Maybe,
}

impl Class {
    /// The server refused the request and changed nothing.
    const fn refused(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::No,
            lost: false,
            passing: false,
        }
    }

    /// The connection failed on the way.
    const fn broken(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::Maybe,
            lost: true,
            passing: true,
        }
    }

    const fn not_applied(mut self) -> Self {
        self.applied = Applied::No;
        self
    }

    const fn lost(mut self) -> Self {
        self.lost = true;
        self
    }

    const fn passing(mut self) -> Self {
        self.passing = true;
        self
    }
}

/// Every error of the driver, one by one: none is temporary unless it says so.
pub(crate) fn classify(error: &RedisError) -> Class {
    match error.kind() {
        Driver::Server(kind) => server(kind, error.detail().unwrap_or_default()),
        Driver::Extension => extension(error.code().unwrap_or_default()),
        Driver::AuthenticationFailed => wrong_password(),
        Driver::Io => io(error),
        Driver::InvalidClientConfig => Class::refused(
            ErrorKind::Config,
            "the driver refuses these settings; check host, TLS files and database",
        ),
        Driver::RESP3NotSupported => Class::refused(
            ErrorKind::Config,
            "the server speaks another protocol; it must be Redis 7.0 or newer, or Valkey",
        ),
        Driver::EmptySentinelList
        | Driver::MasterNameNotFoundBySentinel
        | Driver::NoValidReplicasFoundBySentinel => Class::refused(
            ErrorKind::Config,
            "the Sentinels know no such service; check its name in the URL's path",
        ),
        Driver::ClusterConnectionNotFound => Class::broken(
            ErrorKind::Unavailable,
            "no node of the cluster answers for this slot; is a primary down?",
        )
        .not_applied(),
        Driver::UnexpectedReturnType => Class::refused(
            ErrorKind::Unexpected,
            "the server answered with another type than its command has",
        ),
        Driver::Parse => Class::broken(
            ErrorKind::Unexpected,
            "the server answered with something that is no Redis protocol; is it a Redis?",
        ),
        Driver::Client => Class::refused(
            ErrorKind::Config,
            "the driver refused the request; check the TLS settings",
        ),
        _ => Class::refused(
            ErrorKind::Unexpected,
            "the driver failed in a way this release does not know",
        ),
    }
}

fn server(kind: Server, detail: &str) -> Class {
    match kind {
        Server::NoPerm => denied(),
        Server::BusyLoading => Class::refused(
            ErrorKind::Unavailable,
            "the server is still loading its data",
        )
        .passing(),
        Server::ReadOnly => Class::refused(
            ErrorKind::Unavailable,
            "the server is a replica now; is a failover under way?",
        )
        .lost()
        .passing(),
        Server::MasterDown => Class::refused(
            ErrorKind::Unavailable,
            "the server is a replica that lost its primary",
        )
        .lost()
        .passing(),
        Server::ClusterDown => Class::refused(
            ErrorKind::Unavailable,
            "the cluster is down: a part of its slots has no primary",
        )
        .passing(),
        Server::Moved | Server::Ask | Server::TryAgain => Class::refused(
            ErrorKind::Unavailable,
            "the slot is moving to another node of the cluster, or its node does not answer",
        )
        .passing(),
        Server::NoScript => Class::refused(
            ErrorKind::Unavailable,
            "the server forgot a script that was loaded a moment ago",
        )
        .passing(),
        Server::CrossSlot | Server::ExecAbort | Server::NotBusy | Server::NoSub => Class::refused(
            ErrorKind::Unexpected,
            "the server refused a command as this library does not send it",
        ),
        Server::ResponseError => response(detail),
        _ => Class::refused(
            ErrorKind::Unexpected,
            "the server refused in a way this release does not know",
        ),
    }
}

/// Errors that say `ERR` and then a sentence.
fn response(detail: &str) -> Class {
    let says = |part: &str| detail.contains(part);
    if says("can't run this command") || says("can't access") {
        denied()
    } else if says("max number of clients") {
        Class::refused(
            ErrorKind::Unavailable,
            "the server takes no more connections; raise `maxclients`",
        )
        .lost()
        .passing()
    } else if says("DB index") || says("refused to switch database") || says("SELECT is not") {
        Class::refused(
            ErrorKind::Config,
            "the server has no such database; check the number in the URL's path",
        )
    } else if says("without any password configured") {
        Class::refused(
            ErrorKind::Config,
            "the server has no password, but the URL gives one",
        )
    } else if says("unknown command") {
        Class::refused(
            ErrorKind::Config,
            "the server does not know a command; it must be Redis 7.0 or newer, or Valkey, without renamed commands",
        )
    } else {
        Class::refused(ErrorKind::Unexpected, "the server refused the command")
    }
}

/// Errors whose code the driver leaves to its callers.
fn extension(code: &str) -> Class {
    match code {
        "WRONGPASS" | "NOAUTH" => wrong_password(),
        "OOM" => Class::refused(
            ErrorKind::Full,
            "the server is at its `maxmemory`; raise it, sign-outs work meanwhile",
        ),
        "WRONGTYPE" => Class::refused(
            ErrorKind::Corrupt,
            "a key of ours holds something else; is the prefix shared with another application?",
        ),
        "NOREPLICAS" => Class::refused(
            ErrorKind::Unavailable,
            "the server has fewer replicas than its `min-replicas-to-write`",
        )
        .passing(),
        "MISCONF" => Class::refused(
            ErrorKind::Unavailable,
            "the server refuses writes since it can't save to its disk",
        ),
        "BUSY" => Class::refused(
            ErrorKind::Unavailable,
            "the server is busy with a script of somebody's",
        )
        .passing(),
        "NOPROTO" => Class::refused(
            ErrorKind::Config,
            "the server speaks another protocol; it must be Redis 7.0 or newer, or Valkey",
        ),
        _ => Class::refused(
            ErrorKind::Unexpected,
            "the server refused in a way this release does not know",
        ),
    }
}

fn io(error: &RedisError) -> Class {
    if error.is_timeout() {
        return Class::broken(ErrorKind::TimedOut, "no answer came in the configured time");
    }
    if error.is_connection_refusal() {
        return Class::broken(
            ErrorKind::Unavailable,
            "connection refused; is the server running, and the address right?",
        )
        .not_applied();
    }
    let source = std::error::Error::source(error).and_then(|source| {
        source
            .downcast_ref::<std::sync::Arc<dyn std::error::Error + Send + Sync>>()
            .and_then(|inner| inner.downcast_ref::<std::io::Error>())
    });
    match source.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::InvalidData) => Class::refused(
            ErrorKind::Config,
            "the TLS handshake failed; check the certificate's authority (`ca`) and name",
        )
        .lost(),
        Some(std::io::ErrorKind::PermissionDenied) => Class::refused(
            ErrorKind::Denied,
            "the operating system refuses the connection; check the socket's permissions",
        )
        .lost(),
        _ => Class::broken(ErrorKind::Unavailable, "the connection broke"),
    }
}

const fn denied() -> Class {
    Class::refused(
        ErrorKind::Denied,
        "the user lacks a permission; see the ACL in the documentation",
    )
}

const fn wrong_password() -> Class {
    Class::refused(
        ErrorKind::Denied,
        "the server refuses user or password; check the URL's credentials",
    )
    .lost()
}

/// Our error for a driver's, raised while trying to `operation`.
pub(crate) fn from_driver(operation: &'static str, error: RedisError) -> Error {
    let class = classify(&error);
    let ours = Error::new(class.kind, operation)
        .store(crate::STORE)
        .message(class.message);
    // The server quotes the arguments of a command that it doesn't know, and they hold keys (G5).
    if error.to_string().contains("with args beginning") {
        ours
    } else {
        ours.with_source(error)
    }
}

pub(crate) fn timed_out(operation: &'static str) -> Error {
    Error::new(ErrorKind::TimedOut, operation)
        .store(crate::STORE)
        .message("no answer came in the configured time (`operation_timeout`)")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn said(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    fn seen(error: &RedisError) -> (ErrorKind, Applied, &'static str) {
        let class = classify(error);
        let then = match (class.lost, class.passing) {
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
            (Driver::AuthenticationFailed, Denied, No, stays),
            (Driver::InvalidClientConfig, Config, No, "stays"),
            (Driver::RESP3NotSupported, Config, No, "stays"),
            (Driver::EmptySentinelList, Config, No, "stays"),
            (Driver::MasterNameNotFoundBySentinel, Config, No, "stays"),
            (Driver::NoValidReplicasFoundBySentinel, Config, No, "stays"),
            (Driver::ClusterConnectionNotFound, Unavailable, No, passes),
            (Driver::UnexpectedReturnType, Unexpected, No, "stays"),
            (Driver::Parse, Unexpected, Maybe, passes),
            (Driver::Client, Config, No, "stays"),
        ] {
            assert_eq!(
                seen(&(driver, "").into()),
                (kind, applied, then),
                "{driver:?}"
            );
        }
    }

    #[test]
    fn what_the_server_quotes_stays_out_of_the_error() {
        let error = from_driver(
            "read an entry",
            said("ERR unknown command 'HMGET', with args beginning with: 'tc:{secret}'"),
        );
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

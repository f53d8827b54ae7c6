#[cfg(feature = "sentinel")]
mod sentinel;

use redis::{ErrorKind as RedisErrorKind, RedisError, ServerErrorKind};
use token_cache_core::{Error, ErrorKind};

#[cfg(feature = "sentinel")]
pub(crate) use self::sentinel::SentinelFault;

/// What a driver's error means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorClass {
    pub(crate) kind: ErrorKind,
    /// What happened and what to do.
    pub(crate) message: &'static str,
    /// Whether the server may have carried the request out.
    pub(crate) applied: Applied,
    /// Whether the connection is of no more use.
    pub(crate) lost: bool,
    /// Whether the same request may succeed soon.
    pub(crate) transient: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    No,
    Maybe,
}

impl ErrorClass {
    /// The server refused the request and changed nothing.
    const fn refused(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::No,
            lost: false,
            transient: false,
        }
    }

    /// The connection failed on the way.
    const fn connection_failed(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            applied: Applied::Maybe,
            lost: true,
            transient: true,
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

    const fn transient(mut self) -> Self {
        self.transient = true;
        self
    }
}

/// Every error of the driver, one by one: none is temporary unless it says so.
pub(crate) fn classify(error: &RedisError) -> ErrorClass {
    match error.kind() {
        RedisErrorKind::Server(kind) => server(kind, error.detail().unwrap_or_default()),
        RedisErrorKind::Extension => extension(error.code().unwrap_or_default()),
        RedisErrorKind::AuthenticationFailed => wrong_password(),
        RedisErrorKind::Io => io(error),
        RedisErrorKind::InvalidClientConfig if names_no_host(error) => unknown_host(),
        RedisErrorKind::InvalidClientConfig => ErrorClass::refused(
            ErrorKind::Config,
            "the driver refuses these settings; check host, TLS files and database",
        ),
        RedisErrorKind::RESP3NotSupported => ErrorClass::refused(
            ErrorKind::Config,
            "the server speaks another protocol; it must be Redis 7.0 or newer, or Valkey",
        ),
        RedisErrorKind::EmptySentinelList
        | RedisErrorKind::MasterNameNotFoundBySentinel
        | RedisErrorKind::NoValidReplicasFoundBySentinel => ErrorClass::refused(
            ErrorKind::Config,
            "the Sentinels know no such service; check its name in the URL's path",
        ),
        RedisErrorKind::ClusterConnectionNotFound => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "no node of the cluster has this slot; is a primary down?",
        )
        .not_applied(),
        RedisErrorKind::UnexpectedReturnType => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server answered with another type than its command has",
        ),
        RedisErrorKind::Parse => ErrorClass::connection_failed(
            ErrorKind::Unexpected,
            "the server answered with something that is no Redis protocol; is it a Redis?",
        ),
        RedisErrorKind::Client => ErrorClass::refused(
            ErrorKind::Config,
            "the driver refused the request; check the TLS settings",
        ),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the driver failed in a way this release does not know",
        ),
    }
}

fn server(kind: ServerErrorKind, detail: &str) -> ErrorClass {
    match kind {
        ServerErrorKind::NoPerm => denied(),
        ServerErrorKind::BusyLoading => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is still loading its data",
        )
        .transient(),
        ServerErrorKind::ReadOnly => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is a replica, which takes no writes; connect to its primary, or wait if a failover is under way",
        )
        .lost()
        .transient(),
        ServerErrorKind::MasterDown => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is a replica that lost its primary",
        )
        .lost()
        .transient(),
        ServerErrorKind::ClusterDown => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the cluster is down: a part of its slots has no primary",
        )
        .transient(),
        ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the slot is moving to another node of the cluster, or its node does not answer",
        )
        .transient(),
        ServerErrorKind::NoScript => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server forgot a script that was loaded a moment ago",
        )
        .transient(),
        ServerErrorKind::CrossSlot | ServerErrorKind::ExecAbort | ServerErrorKind::NotBusy | ServerErrorKind::NoSub => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused a command as this library does not send it",
        ),
        ServerErrorKind::ResponseError => response(detail),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused in a way this release does not know",
        ),
    }
}

/// Errors that say `ERR` and then a sentence.
fn response(detail: &str) -> ErrorClass {
    let says = |part: &str| detail.contains(part);
    if says("can't run this command") || says("can't access") {
        denied()
    } else if says("max number of clients") {
        ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server takes no more connections; raise `maxclients`",
        )
        .lost()
        .transient()
    } else if says("DB index") || says("refused to switch database") || says("SELECT is not") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server has no such database; check the number in the URL's path",
        )
    } else if says("without any password configured") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server has no password, but the URL gives one",
        )
    } else if says("cluster support disabled") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server is no node of a cluster; write `redis://` instead of `redis+cluster://`",
        )
    } else if says("unknown command") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server does not know a command; it must be Redis 7.0 or newer, or Valkey, without renamed commands",
        )
    } else {
        ErrorClass::refused(ErrorKind::Unexpected, "the server refused the command")
    }
}

/// Errors whose code the driver leaves to its callers.
fn extension(code: &str) -> ErrorClass {
    match code {
        "WRONGPASS" | "NOAUTH" => wrong_password(),
        "OOM" => ErrorClass::refused(
            ErrorKind::Full,
            "the server is at its `maxmemory`; raise it, sign-outs work meanwhile",
        ),
        "WRONGTYPE" => ErrorClass::refused(
            ErrorKind::Corrupt,
            "a key of ours holds something else; is the prefix shared with another application?",
        ),
        "NOREPLICAS" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server has fewer replicas than its `min-replicas-to-write`",
        )
        .transient(),
        "MISCONF" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server refuses writes since it can't save to its disk",
        ),
        "BUSY" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is busy with a script of somebody's",
        )
        .transient(),
        "NOPROTO" => ErrorClass::refused(
            ErrorKind::Config,
            "the server speaks another protocol; it must be Redis 7.0 or newer, or Valkey",
        ),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused in a way this release does not know",
        ),
    }
}

fn io(error: &RedisError) -> ErrorClass {
    if error.is_timeout() {
        return ErrorClass::connection_failed(
            ErrorKind::TimedOut,
            "no answer came in the configured time",
        );
    }
    let source = std::error::Error::source(error).and_then(|source| {
        source
            .downcast_ref::<std::sync::Arc<dyn std::error::Error + Send + Sync>>()
            .and_then(|inner| inner.downcast_ref::<std::io::Error>())
    });
    let kind = source.map(std::io::Error::kind);
    if kind == Some(std::io::ErrorKind::NotFound) {
        return ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "there is no socket at this path; check the path, and `unixsocket` in the server's configuration",
        )
        .not_applied();
    }
    if error.is_connection_refusal() {
        return ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "connection refused; is the server running, and the address right?",
        )
        .not_applied();
    }
    #[cfg(feature = "sentinel")]
    if let Some(fault) = source
        .and_then(std::io::Error::get_ref)
        .and_then(|fault| fault.downcast_ref::<SentinelFault>())
    {
        return fault.class();
    }
    if names_no_host(error) {
        return unknown_host();
    }
    match kind {
        Some(std::io::ErrorKind::InvalidData) => ErrorClass::refused(
            ErrorKind::Config,
            "the TLS handshake failed; check the certificate's authority (`ca`) and name",
        )
        .lost(),
        Some(std::io::ErrorKind::PermissionDenied) => ErrorClass::refused(
            ErrorKind::Denied,
            "the operating system refuses the connection; check the socket's permissions",
        )
        .lost(),
        _ => ErrorClass::connection_failed(ErrorKind::Unavailable, "the connection broke"),
    }
}

/// Whether the name of a host led to no address. Neither the driver nor the standard library has a kind for it.
fn names_no_host(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("failed to lookup address") || text.contains("No address found for host")
}

const fn unknown_host() -> ErrorClass {
    ErrorClass::connection_failed(
        ErrorKind::Unavailable,
        "the name of the host leads to no address; check it in the URL, and the machine's DNS",
    )
    .not_applied()
}

const fn denied() -> ErrorClass {
    ErrorClass::refused(
        ErrorKind::Denied,
        "the user lacks a permission; see the ACL in the documentation",
    )
}

const fn wrong_password() -> ErrorClass {
    ErrorClass::refused(
        ErrorKind::Denied,
        "the server refuses user or password; check the URL's credentials",
    )
    .lost()
}

/// Whether an error says more about why servers can't be used than another: a refusal says more than silence.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
pub(crate) fn is_more_specific(error: &RedisError, than: &RedisError) -> bool {
    let weight = |error: &RedisError| match (classify(error).kind, error.kind()) {
        (
            _,
            RedisErrorKind::ClusterConnectionNotFound
            | RedisErrorKind::MasterNameNotFoundBySentinel,
        ) => 0,
        (ErrorKind::TimedOut, _) => 1,
        (ErrorKind::Unavailable, _) => 2,
        _ => 3,
    };
    weight(error) > weight(than)
}

/// Our error for a driver's, raised while trying to `operation`.
pub(crate) fn from_redis_error(operation: &'static str, error: RedisError) -> Error {
    let class = classify(&error);
    let ours = Error::new(class.kind, operation).store(crate::STORE);
    let ours = match denied_command(&error) {
        Some(command) => ours.message(format!(
            "the user may not call `{command}`; give it what the ACL in the documentation lists"
        )),
        None => ours.message(class.message),
    };
    // The server quotes the arguments of a command that it doesn't know, and they hold keys (G5).
    if error.to_string().contains("with args beginning") {
        ours
    } else {
        ours.with_source(error)
    }
}

/// The command that the server says the user may not call.
fn denied_command(error: &RedisError) -> Option<&str> {
    if error.kind() != RedisErrorKind::Server(ServerErrorKind::NoPerm) {
        return None;
    }
    let (_, rest) = error.detail()?.split_once("run the '")?;
    let (command, _) = rest.split_once('\'')?;
    Some(command)
}

/// The error, with the servers of the configuration in its message.
pub(crate) fn with_servers(to: &crate::Topology, error: Error) -> Error {
    let message = format!("{} (at {to})", reason(&error));
    error.message(message)
}

/// What an error says without the operation.
pub(crate) fn reason(error: &Error) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((_, reason)) => reason.to_owned(),
        None => ErrorKind::to_string(&error.kind()),
    }
}

pub(crate) fn timed_out(operation: &'static str) -> Error {
    Error::new(ErrorKind::TimedOut, operation)
        .store(crate::STORE)
        .message("no answer came in the configured time (`operation_timeout`)")
}

#[cfg(test)]
mod tests;

mod invalid_config;
#[cfg(feature = "sentinel")]
mod sentinel;

use redis::{ErrorKind as RedisErrorKind, RedisError, ServerErrorKind};
use token_cache_core::{Error, ErrorKind};

pub(crate) use self::invalid_config::{feature_off, invalid_config};
#[cfg(feature = "sentinel")]
pub(crate) use self::sentinel::SentinelFault;

/// What an error of the driver means for the caller and for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorClass {
    pub(crate) kind: ErrorKind,
    /// What happened and what to do.
    pub(crate) message: &'static str,
    /// Whether the server may have applied the request.
    pub(crate) applied: Applied,
    /// Whether the connection must be replaced.
    pub(crate) lost: bool,
    /// Whether a retry may succeed.
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

    /// The connection failed during the request.
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

/// Classifies each error of the driver. Only the listed ones are transient.
pub(crate) fn classify(error: &RedisError) -> ErrorClass {
    match error.kind() {
        RedisErrorKind::Server(kind) => server(kind, error.detail().unwrap_or_default()),
        RedisErrorKind::Extension => extension(error.code().unwrap_or_default()),
        RedisErrorKind::AuthenticationFailed => wrong_password(),
        RedisErrorKind::Io => io(error),
        RedisErrorKind::InvalidClientConfig if is_unknown_host(error) => unknown_host(),
        RedisErrorKind::InvalidClientConfig => ErrorClass::refused(
            ErrorKind::Config,
            "the driver refuses the settings; check the host, the TLS files and the database",
        ),
        RedisErrorKind::RESP3NotSupported => ErrorClass::refused(
            ErrorKind::Config,
            "the server does not speak the protocol; use Redis 7.0 or newer, or Valkey",
        ),
        RedisErrorKind::EmptySentinelList
        | RedisErrorKind::MasterNameNotFoundBySentinel
        | RedisErrorKind::NoValidReplicasFoundBySentinel => ErrorClass::refused(
            ErrorKind::Config,
            "the Sentinels do not monitor this service; check its name in the path of the URL",
        ),
        RedisErrorKind::ClusterConnectionNotFound => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "no node of the cluster has this slot; check whether a primary is down",
        )
        .not_applied(),
        RedisErrorKind::UnexpectedReturnType => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the reply has an unexpected type; check that the server is Redis or Valkey",
        ),
        RedisErrorKind::Parse => ErrorClass::connection_failed(
            ErrorKind::Unexpected,
            "the reply is not in the Redis protocol; check that the server is Redis or Valkey",
        ),
        RedisErrorKind::Client => ErrorClass::refused(
            ErrorKind::Config,
            "the driver refused the request; check the TLS settings",
        ),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the driver failed with an unknown error; see the source",
        ),
    }
}

fn server(kind: ServerErrorKind, detail: &str) -> ErrorClass {
    match kind {
        ServerErrorKind::NoPerm => denied(),
        ServerErrorKind::BusyLoading => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is loading its data; try again",
        )
        .transient(),
        ServerErrorKind::ReadOnly => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is a replica and accepts no writes; connect to its primary, or try again after a failover",
        )
        .lost()
        .transient(),
        ServerErrorKind::MasterDown => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is a replica without a connection to its primary; try again",
        )
        .lost()
        .transient(),
        ServerErrorKind::ClusterDown => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the cluster is down, since some slots have no primary; check its nodes",
        )
        .transient(),
        ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the slot is moving to another node of the cluster, or its node does not respond; try again",
        )
        .transient(),
        ServerErrorKind::NoScript => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server no longer has a script that was just loaded; try again",
        )
        .transient(),
        ServerErrorKind::CrossSlot | ServerErrorKind::ExecAbort | ServerErrorKind::NotBusy | ServerErrorKind::NoSub => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused the command as invalid; report it",
        ),
        ServerErrorKind::ResponseError => response(detail),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused the command with an unknown error code; see the source",
        ),
    }
}

/// Classifies replies that start with `ERR`, by their text.
fn response(detail: &str) -> ErrorClass {
    let says = |part: &str| detail.contains(part);
    if says("can't run this command") || says("can't access") {
        denied()
    } else if says("max number of clients") {
        ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server accepts no more connections; raise `maxclients`",
        )
        .lost()
        .transient()
    } else if says("DB index") || says("refused to switch database") || says("SELECT is not") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server does not have this database; check the number in the path of the URL",
        )
    } else if says("without any password configured") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the URL has a password and the server has none; remove it, or set one on the server",
        )
    } else if says("cluster support disabled") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server is not a node of a cluster; write `redis://` instead of `redis+cluster://`",
        )
    } else if says("unknown command") {
        ErrorClass::refused(
            ErrorKind::Config,
            "the server does not have a command; use Redis 7.0 or newer, or Valkey, without renamed commands",
        )
    } else {
        ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused the command; see the source",
        )
    }
}

/// Classifies error codes that the driver does not know.
fn extension(code: &str) -> ErrorClass {
    match code {
        "WRONGPASS" | "NOAUTH" => wrong_password(),
        "OOM" => ErrorClass::refused(
            ErrorKind::Full,
            "the server has reached its `maxmemory`; raise it (sign-outs still work)",
        ),
        "WRONGTYPE" => ErrorClass::refused(
            ErrorKind::Corrupt,
            "a key has an unexpected type; check whether another application uses the same prefix",
        ),
        "NOREPLICAS" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server has fewer replicas than its `min-replicas-to-write`; try again",
        )
        .transient(),
        "MISCONF" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server refuses writes, since it cannot save to its disk; check the disk",
        ),
        "BUSY" => ErrorClass::refused(
            ErrorKind::Unavailable,
            "the server is busy with a script; try again",
        )
        .transient(),
        "NOPROTO" => ErrorClass::refused(
            ErrorKind::Config,
            "the server does not speak the protocol; use Redis 7.0 or newer, or Valkey",
        ),
        _ => ErrorClass::refused(
            ErrorKind::Unexpected,
            "the server refused the command with an unknown error code; see the source",
        ),
    }
}

fn io(error: &RedisError) -> ErrorClass {
    if error.is_timeout() {
        return ErrorClass::connection_failed(
            ErrorKind::TimedOut,
            "there was no reply in the configured time; check the network and the load of the server",
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
            "the socket does not exist; check its path, and `unixsocket` in the configuration of the server",
        )
        .not_applied();
    }
    if error.is_connection_refusal() {
        return ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "connection refused; check that the server is running, and the address",
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
    if is_unknown_host(error) {
        return unknown_host();
    }
    match kind {
        Some(std::io::ErrorKind::InvalidData) => ErrorClass::refused(
            ErrorKind::Config,
            "the TLS handshake failed; check the authority (`ca`) and the name in the certificate",
        )
        .lost(),
        Some(std::io::ErrorKind::PermissionDenied) => ErrorClass::refused(
            ErrorKind::Denied,
            "the operating system refuses the connection; check the socket's permissions",
        )
        .lost(),
        _ => ErrorClass::connection_failed(
            ErrorKind::Unavailable,
            "the connection was lost during the request; try again",
        ),
    }
}

/// Returns whether a host name has no address. Neither the driver nor the standard library has a kind for it.
fn is_unknown_host(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("failed to lookup address") || text.contains("No address found for host")
}

const fn unknown_host() -> ErrorClass {
    ErrorClass::connection_failed(
        ErrorKind::Unavailable,
        "the host name has no address; check it in the URL, and the DNS of the machine",
    )
    .not_applied()
}

const fn denied() -> ErrorClass {
    ErrorClass::refused(
        ErrorKind::Denied,
        "the user lacks a permission; add it as in the ACL of the documentation",
    )
}

const fn wrong_password() -> ErrorClass {
    ErrorClass::refused(
        ErrorKind::Denied,
        "the server refuses the user or the password; check the credentials in the URL",
    )
    .lost()
}

/// Returns whether an error says more than another about why servers cannot be used. A refusal says more than a timeout.
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

/// Returns the error for an error of the driver during `operation`.
pub(crate) fn from_redis_error(operation: &'static str, error: RedisError) -> Error {
    let class = classify(&error);
    let ours = Error::new(class.kind, operation).store(crate::STORE);
    let ours = match denied_command(&error) {
        Some(command) => ours.message(format!(
            "the user may not call `{command}`; add it as in the ACL of the documentation"
        )),
        None => ours.message(class.message),
    };
    // The server quotes the arguments of an unknown command, and they contain keys (G5).
    if error.to_string().contains("with args beginning") {
        ours
    } else {
        ours.with_source(error)
    }
}

/// Returns the command that the user may not call.
fn denied_command(error: &RedisError) -> Option<&str> {
    if error.kind() != RedisErrorKind::Server(ServerErrorKind::NoPerm) {
        return None;
    }
    let (_, rest) = error.detail()?.split_once("run the '")?;
    let (command, _) = rest.split_once('\'')?;
    Some(command)
}

/// Adds the servers of the configuration to the message of an error.
pub(crate) fn with_servers(to: &crate::Topology, error: Error) -> Error {
    let message = format!("{} (at {to})", reason(&error));
    error.message(message)
}

/// Returns the message of an error without the operation.
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
        .message("there was no reply in the configured time; check the network, or raise `operation_timeout`")
}

#[cfg(test)]
mod tests;

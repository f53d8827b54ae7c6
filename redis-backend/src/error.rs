#[cfg(feature = "sentinel")]
mod sentinel;

use redis::{ErrorKind as Driver, RedisError, ServerErrorKind as Server};
use token_cache_core::{Error, ErrorKind};

#[cfg(feature = "sentinel")]
pub(crate) use self::sentinel::SentinelFault;

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
        Driver::InvalidClientConfig if names_no_host(error) => unknown_host(),
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
            "no node of the cluster has this slot; is a primary down?",
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
            "the server is a replica, which takes no writes; connect to its primary, or wait if a failover is under way",
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
    } else if says("cluster support disabled") {
        Class::refused(
            ErrorKind::Config,
            "the server is no node of a cluster; write `redis://` instead of `redis+cluster://`",
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
    let source = std::error::Error::source(error).and_then(|source| {
        source
            .downcast_ref::<std::sync::Arc<dyn std::error::Error + Send + Sync>>()
            .and_then(|inner| inner.downcast_ref::<std::io::Error>())
    });
    let kind = source.map(std::io::Error::kind);
    if kind == Some(std::io::ErrorKind::NotFound) {
        return Class::broken(
            ErrorKind::Unavailable,
            "there is no socket at this path; check the path, and `unixsocket` in the server's configuration",
        )
        .not_applied();
    }
    if error.is_connection_refusal() {
        return Class::broken(
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

/// Whether the name of a host led to no address. Neither the driver nor the standard library has a kind for it.
fn names_no_host(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("failed to lookup address") || text.contains("No address found for host")
}

const fn unknown_host() -> Class {
    Class::broken(
        ErrorKind::Unavailable,
        "the name of the host leads to no address; check it in the URL, and the machine's DNS",
    )
    .not_applied()
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

/// Whether an error says more about why servers can't be used than another: a refusal says more than silence.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
pub(crate) fn is_more_telling(error: &RedisError, than: &RedisError) -> bool {
    let weight = |error: &RedisError| match (classify(error).kind, error.kind()) {
        (_, Driver::ClusterConnectionNotFound | Driver::MasterNameNotFoundBySentinel) => 0,
        (ErrorKind::TimedOut, _) => 1,
        (ErrorKind::Unavailable, _) => 2,
        _ => 3,
    };
    weight(error) > weight(than)
}

/// Our error for a driver's, raised while trying to `operation`.
pub(crate) fn from_driver(operation: &'static str, error: RedisError) -> Error {
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
    if error.kind() != Driver::Server(Server::NoPerm) {
        return None;
    }
    let (_, rest) = error.detail()?.split_once("run the '")?;
    let (command, _) = rest.split_once('\'')?;
    Some(command)
}

/// The error, with the servers of the configuration in its message.
pub(crate) fn at(to: &crate::Topology, error: Error) -> Error {
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

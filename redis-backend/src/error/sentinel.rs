use std::fmt;

use redis::RedisError;
use token_cache_core::ErrorKind;

use super::ErrorClass;

/// Why the Sentinels lead to no primary.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SentinelFault {
    /// The server that they name says that it is a replica.
    NoPrimary,
    /// As many name one server as name another.
    Undecided,
    /// They refuse the credentials.
    Refused,
}

impl SentinelFault {
    pub(super) fn class(self) -> ErrorClass {
        match self {
            Self::Refused => ErrorClass::refused(ErrorKind::Denied, self.message()).lost(),
            Self::NoPrimary | Self::Undecided => {
                ErrorClass::connection_failed(ErrorKind::Unavailable, self.message()).not_applied()
            }
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::NoPrimary => {
                "the Sentinels name a server that is not the primary yet; is a failover under way?"
            }
            Self::Undecided => {
                "the Sentinels do not agree on a primary yet; is a failover under way?"
            }
            Self::Refused => {
                "the Sentinels refuse user or password, or the command SENTINEL; check `sentinel_username` and \
                 `sentinel_password`"
            }
        }
    }
}

impl fmt::Display for SentinelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for SentinelFault {}

impl From<SentinelFault> for RedisError {
    fn from(fault: SentinelFault) -> Self {
        std::io::Error::other(fault).into()
    }
}

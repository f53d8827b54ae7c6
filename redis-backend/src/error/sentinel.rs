use std::fmt;

use redis::RedisError;
use token_cache_core::ErrorKind;

use super::ErrorClass;

/// Why the Sentinels name no usable primary.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SentinelFault {
    /// The server that they name is a replica.
    NoPrimary,
    /// Two servers are named by equally many Sentinels.
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
                "the Sentinels name a server that is not a primary yet; try again after the failover"
            }
            Self::Undecided => {
                "the Sentinels do not agree on a primary; try again after the failover"
            }
            Self::Refused => {
                "the Sentinels refuse the user, the password or the command SENTINEL; check `sentinel_username` and \
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

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use token_cache::refresh::{AfterLostAnswer, RefreshPolicy};

/// A request of the driver about the tokens of a session.
#[derive(Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum Refreshing {
    /// Stores a token response.
    Keep {
        /// The response of a provider.
        response: serde_json::Value,
        /// When it was received, in seconds since 1970. The time is long ago for tokens that have expired.
        received_at: u64,
    },
    /// Reads the tokens without refreshing them.
    Read,
    /// Runs many callers that request them, each as a request of its own would.
    Storm(Storm),
}

/// Simultaneous callers.
#[derive(Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Storm {
    /// The provider's token endpoint.
    pub token_url: String,
    /// The provider's revocation endpoint.
    pub revocation_url: String,
    /// Number of callers.
    pub callers: usize,
    /// Each caller drops its future after this many polls.
    pub polls: Option<usize>,
    /// Each caller repeats its request until it has received this many different tokens.
    pub expiries: usize,
}

/// The result of one caller.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Refreshed {
    /// Its last result.
    pub got: Got,
    /// How long it waited for that result.
    pub waited: Duration,
}

/// The result of a request for tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum Got {
    /// Tokens.
    Tokens {
        /// The access token.
        access_token: String,
        /// The refresh token that is stored with it.
        refresh_token: Option<String>,
    },
    /// No tokens: nothing was requested, nothing is stored, or the caller was dropped.
    Nothing,
    /// The session has ended.
    SignedOut,
    /// An error.
    Failed {
        /// The error's kind.
        kind: String,
        /// The error's message.
        message: String,
    },
}

impl Got {
    /// Returns the access token, or `None` if the result is not tokens.
    pub fn access_token(&self) -> Option<&str> {
        match self {
            Self::Tokens { access_token, .. } => Some(access_token),
            _ => None,
        }
    }

    /// Returns the refresh token, or `None` if the result is not tokens or has none.
    pub fn refresh_token(&self) -> Option<&str> {
        match self {
            Self::Tokens { refresh_token, .. } => refresh_token.as_deref(),
            _ => None,
        }
    }

    /// Returns the error's kind, or `None` if the result is no error.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed { kind, .. } => Some(kind),
            _ => None,
        }
    }
}

/// The refresh settings of an app server, if they differ from the cache's defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests name what they need")]
pub struct RefreshSettings {
    /// The lease of its refresh locks.
    pub lease: Option<Duration>,
    /// `true` if a lost answer ends the session.
    pub lost_answer_ends_session: bool,
}

impl From<RefreshSettings> for RefreshPolicy {
    fn from(of: RefreshSettings) -> Self {
        let mut policy = Self::default();
        policy.lease = of.lease.unwrap_or(policy.lease);
        if of.lost_answer_ends_session {
            policy.after_lost_answer = AfterLostAnswer::EndSession;
        }
        policy
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep { .. } => f.write_str("Keep"),
            Self::Read => f.write_str("Read"),
            Self::Storm(storm) => storm.fmt(f),
        }
    }
}

impl fmt::Debug for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storm")
            .field("callers", &self.callers)
            .finish_non_exhaustive()
    }
}

/// Prints only the first letters of tokens: enough to tell them apart in a failed test.
impl fmt::Debug for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |token: &str| token.chars().take(9).collect::<String>();
        match self {
            Self::Tokens {
                access_token,
                refresh_token,
            } => write!(
                f,
                "{}/{}",
                short(access_token),
                refresh_token.as_deref().map_or_else(String::new, short)
            ),
            Self::Nothing => f.write_str("Nothing"),
            Self::SignedOut => f.write_str("SignedOut"),
            Self::Failed { kind, message } => write!(f, "{kind}: {message}"),
        }
    }
}

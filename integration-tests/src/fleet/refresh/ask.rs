use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use token_cache::refresh::{AfterLostAnswer, RefreshPolicy};

/// What an app server is to do about the tokens of a session.
#[derive(Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum Refreshing {
    /// Keeps a token response.
    Keep {
        /// The response of a provider.
        response: serde_json::Value,
        /// When it came, in seconds since 1970: long ago, for tokens that have expired.
        received_at: u64,
    },
    /// Reads them as they are.
    Read,
    /// Has many callers ask for them, each as a request of its own would.
    Storm(Storm),
}

/// Callers who ask at once.
#[derive(Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Storm {
    /// The provider's token endpoint.
    pub token_url: String,
    /// Its revocation endpoint.
    pub revocation_url: String,
    /// How many they are.
    pub callers: usize,
    /// Each goes away after polling its future so often.
    pub polls: Option<usize>,
    /// Each asks again and again until it was given so many different tokens.
    pub expiries: usize,
}

/// How one caller fared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the driver and its app servers are one program"
)]
pub struct Refreshed {
    /// What it got in the end.
    pub got: Got,
    /// How long it waited for that.
    pub waited: Duration,
}

/// What somebody got who asked for tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver and its app servers are one program"
)]
pub enum Got {
    /// These tokens.
    Tokens {
        /// The access token.
        access_token: String,
        /// The refresh token that lies beside it.
        refresh_token: Option<String>,
    },
    /// Nothing was asked for, or there is nothing, or the caller went away.
    Nothing,
    /// The session has ended.
    SignedOut,
    /// An error.
    Failed {
        /// Its kind.
        kind: String,
        /// Its text.
        message: String,
    },
}

impl Got {
    /// The access token, where tokens were got.
    pub fn access_token(&self) -> Option<&str> {
        match self {
            Self::Tokens { access_token, .. } => Some(access_token),
            _ => None,
        }
    }

    /// The refresh token, where tokens were got that have one.
    pub fn refresh_token(&self) -> Option<&str> {
        match self {
            Self::Tokens { refresh_token, .. } => refresh_token.as_deref(),
            _ => None,
        }
    }

    /// The error's kind, where there is one.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed { kind, .. } => Some(kind),
            _ => None,
        }
    }
}

/// How an app server refreshes, where it differs from the cache's own default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests name what they need")]
pub struct RefreshSettings {
    /// The lease of its refresh locks.
    pub lease: Option<Duration>,
    /// Whether a lost answer ends the session.
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

/// Tokens by their first letters: enough to tell them apart in a failed test.
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

use std::fmt;

use crate::{
    AccountId, Error, Evicted, NearCacheOutcome, ProviderSid, Result, Session, Timestamp, account,
};

/// The sessions that a sign-out by the app ends, for [`TokenCache::sign_out`](crate::TokenCache::sign_out).
///
/// The sessions that were begun before the sign-out end. Users can sign in again afterwards. A sign-in that is in progress for the same
/// account or `sid` is refused (G2), except with [`Session`](Self::Session).
///
/// ```
/// # use token_cache_core::{AccountId, ProviderSid, SignOutScope, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let report = cache.sign_out(SignOutScope::Account(ada)).await?;
/// assert!(!report.ended); // the account had no session
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignOutScope {
    /// One session: one sign-in of one browser.
    Session(Session),
    /// The sessions with one `sid`, of every account. If there are no such sessions, nothing ends.
    ProviderSession(ProviderSid),
    /// The sessions with the same `sid` as this session, for callers that have a ticket and no ids. If this session has no `sid`, or has
    /// ended already, at most this one ends.
    ProviderSessionOf(Session),
    /// Every session of an account, in every browser.
    Account(AccountId),
    /// Every session of this session's account, for callers that have a ticket and no ids. The session need not live.
    AccountOf(Session),
}

/// The meaning of a provider's `sid` in its logout messages: which sessions a message with a `sid` ends. Passed to
/// [`TokenCacheBuilder::sid_meaning`](crate::TokenCacheBuilder::sid_meaning).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SidMeaning {
    /// One session at the provider, as OpenID Connect specifies it (Front-Channel Logout 1.0 section 3). A message ends the sessions that
    /// were begun with its `sid`.
    #[default]
    Session,
    /// All sessions of a user. A message with a `sid` then ends every session of the accounts that signed in under it. This is for
    /// providers that send one `sid` for all of a user's sessions, as Keycloak does for "sign out everywhere".
    Account,
}

/// The input of [`TokenCache::sign_out_by`](crate::TokenCache::sign_out_by): a provider's message that a user has signed out.
///
/// It is a back-channel logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4) or a CAEP `session-revoked` event. **The caller
/// must have verified it**: this type contains only its claims. The crate `token-cache-sign-out` receives and verifies such messages.
///
/// ```
/// use token_cache_core::{LogoutMessage, Timestamp};
///
/// let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1_700_000_000))?
///     .subject("248289761001")?
///     .sid("08a5019c")?;
/// # Ok::<(), token_cache_core::Error>(())
/// ```
#[derive(Clone)]
pub struct LogoutMessage {
    pub(crate) issuer: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) account: Option<AccountId>,
    pub(crate) provider_session: Option<ProviderSid>,
}

impl LogoutMessage {
    /// Creates a message from the claims `iss` and `iat`. Then call [`subject`](Self::subject), [`sid`](Self::sid), or both. A message
    /// with neither is refused with [`Misuse`](crate::ErrorKind::Misuse) by [`TokenCache::sign_out_by`](crate::TokenCache::sign_out_by).
    ///
    /// `issued_at` is on the provider's clock. Sessions of users who authenticated later are not ended, unless they have the `sid` of the
    /// message.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if the issuer is empty or over 8 KiB.
    pub fn new(issuer: impl Into<String>, issued_at: Timestamp) -> Result<Self> {
        Ok(Self {
            issuer: account::uri("take a logout message", "issuer", issuer.into())?,
            issued_at,
            account: None,
            provider_session: None,
        })
    }

    /// Sets the account, by the claim `sub`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if it is empty or over 8 KiB.
    pub fn subject(mut self, subject: impl Into<String>) -> Result<Self> {
        self.account = Some(AccountId::new(self.issuer.clone(), subject)?);
        Ok(self)
    }

    /// Sets the provider's session, by the claim `sid`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if it is empty or over 8 KiB.
    pub fn sid(mut self, sid: impl Into<String>) -> Result<Self> {
        self.provider_session = Some(ProviderSid::new(self.issuer.clone(), sid)?);
        Ok(self)
    }

    pub(crate) fn nameless() -> Error {
        Error::misuse(
            "take a logout message",
            "the message has neither a subject nor a `sid`; refuse it with status 400",
        )
    }
}

impl fmt::Debug for LogoutMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutMessage")
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

/// The outcome of a successful sign-out, returned by [`TokenCache::sign_out`](crate::TokenCache::sign_out) and its variants.
///
/// No read that starts now, on any app server, returns a token of an ended session (G1). The exception is [`NearCacheOutcome::NotAwaited`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "`ended` says whether a session ended"]
pub struct SignOut {
    /// `true` if a session ended; `false` if the scope had no session, or all had ended already.
    pub ended: bool,
    /// The number of accounts whose sessions were looked at: one for a session or an account, and for a `sid` the accounts that were
    /// found under it. It counts accounts without a living session too, so it can be positive if nothing ended.
    pub accounts: usize,
    /// The number of the store's replicas that have confirmed the sign-out, at least. `None` if the store is not configured to wait for
    /// replicas.
    pub replicas: Option<u32>,
    /// The outcome for the near caches of other app servers: whether they can still serve what was ended.
    pub near_caches: NearCacheOutcome,
}

impl SignOut {
    pub(crate) fn add(&mut self, evicted: &Evicted) {
        self.ended |= evicted.ended;
        self.accounts += 1;
        self.replicas = match (self.replicas, evicted.replicas) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }
}

use std::fmt;

use crate::{
    AccountId, Error, Evicted, NearCacheOutcome, ProviderSid, Result, Session, Timestamp, account,
};

/// Whose sessions a sign-out by the app itself ends.
///
/// ```
/// # use token_cache_core::{AccountId, ProviderSid, SignOutScope, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let report = cache.sign_out(SignOutScope::Account(ada)).await?;
/// assert!(!report.ended); // nobody was signed in
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignOutScope {
    /// One session: one sign-in of one browser.
    Session(Session),
    /// The sessions begun under one session at the provider.
    ProviderSession(ProviderSid),
    /// The sessions begun under the same session at the provider as this one, and no other where it has no `sid`: for who has
    /// a ticket and knows no ids.
    ProviderSessionOf(Session),
    /// Every session of an account.
    Account(AccountId),
    /// Every session of the account that this session is of, whether it lives or not: for who has a ticket and knows no ids.
    AccountOf(Session),
}

/// A provider's word that somebody has signed out: of a back-channel logout token (OpenID Connect Back-Channel Logout 1.0
/// section 2.4) or a CAEP `session-revoked` event, *verified*.
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
    /// A message that `issuer` issued at `issued_at`, its `iat`. It needs a subject, a `sid`, or both.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) where the issuer is empty or over 8 KiB.
    pub fn new(issuer: impl Into<String>, issued_at: Timestamp) -> Result<Self> {
        Ok(Self {
            issuer: account::uri("take a logout message", "issuer", issuer.into())?,
            issued_at,
            account: None,
            provider_session: None,
        })
    }

    /// Names the user, by the claim `sub`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) where it is empty or over 8 KiB.
    pub fn subject(mut self, subject: impl Into<String>) -> Result<Self> {
        self.account = Some(AccountId::new(self.issuer.clone(), subject)?);
        Ok(self)
    }

    /// Names the provider's session, by the claim `sid`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) where it is empty or over 8 KiB.
    pub fn sid(mut self, sid: impl Into<String>) -> Result<Self> {
        self.provider_session = Some(ProviderSid::new(self.issuer.clone(), sid)?);
        Ok(self)
    }

    pub(crate) fn nameless() -> Error {
        Error::misuse(
            "take a logout message",
            "it names neither a subject nor a `sid`; refuse it with status 400",
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

/// What a sign-out did. That there is one means: no read that starts now, on any server, returns a token of an ended
/// session (G1); but see [`NearCacheOutcome::NotAwaited`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "`ended` tells whether there was anything to end"]
pub struct SignOut {
    /// True where a session ended; false where none stood in the scope, because there was none or it had ended already.
    pub ended: bool,
    /// How many accounts were visited.
    pub accounts: usize,
    /// On how many replicas every eviction is, where the store was set to wait for them.
    pub replicas: Option<u32>,
    /// What became of other servers' near caches.
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

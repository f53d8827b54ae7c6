use std::fmt;

use crate::{AccountId, Error, NearCacheOutcome, ProviderSid, Result, Timestamp, types::account};

/// The meaning of a `sid` in a provider's logout messages: which sessions a [`LogoutMessage`] with a `sid` ends.
///
/// The app passes it to [`TokenCacheBuilder::sid_meaning`](crate::TokenCacheBuilder::sid_meaning). The default is
/// [`Session`](Self::Session), as OpenID Connect specifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SidMeaning {
    /// A `sid` means one session at the provider (Front-Channel Logout 1.0 section 3). A logout message ends the sessions whose sign-in had
    /// its `sid`.
    #[default]
    Session,
    /// A `sid` means all sessions of a user. A logout message with a `sid` acts on every account that signed in with this `sid`. It ends
    /// all sessions of these accounts, with any `sid` or none, whose users authenticated at the message's `iat` or earlier.
    ///
    /// It is for providers that send one `sid` for all sessions of a user, as Keycloak does for "sign out everywhere".
    Account,
}

/// A provider's message that a user has signed out, for [`TokenCache::sign_out_by`](crate::TokenCache::sign_out_by).
///
/// It has the claims of a back-channel logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4) or of a CAEP `session-revoked`
/// event. **The app must have verified the message**: this type checks no signature. The crate `token-cache-sign-out` receives and verifies
/// such messages.
///
/// ```
/// use token_cache::{LogoutMessage, Timestamp};
///
/// let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1_700_000_000))?
///     .subject("248289761001")?
///     .sid("08a5019c")?;
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct LogoutMessage {
    pub(crate) issuer: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) account: Option<AccountId>,
    pub(crate) provider_session: Option<ProviderSid>,
}

impl LogoutMessage {
    /// Creates a message from its claims `iss` and `iat`. Then call [`subject`](Self::subject), [`sid`](Self::sid), or both. Without
    /// either, [`TokenCache::sign_out_by`](crate::TokenCache::sign_out_by) refuses the message with [`Misuse`](crate::ErrorKind::Misuse).
    ///
    /// `issued_at` is on the provider's clock. The message does not end the sessions of users who authenticated later. The exception is a
    /// session with the `sid` of the message: with [`SidMeaning::Session`], the default, it ends in any case.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `issuer` is empty, is longer than 8 KiB, or contains white space or a control character.
    pub fn new(issuer: impl Into<String>, issued_at: Timestamp) -> Result<Self> {
        Ok(Self {
            issuer: account::uri("take a logout message", "issuer", issuer.into())?,
            issued_at,
            account: None,
            provider_session: None,
        })
    }

    /// Sets the claim `sub` of the message: the user who has signed out. By default, the message names no user.
    ///
    /// A message with a `sub` alone ends all sessions of the account whose users authenticated at the message's `iat` or earlier. If the
    /// message has a `sid` too, and [`SidMeaning`] is the default, it ends the sessions with the `sid`. Of the account's other sessions, it
    /// then ends only those without any `sid` up to the `iat`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `subject` is empty, contains only white space, or is longer than 8 KiB.
    pub fn subject(mut self, subject: impl Into<String>) -> Result<Self> {
        self.account = Some(AccountId::new(self.issuer.clone(), subject)?);
        Ok(self)
    }

    /// Sets the claim `sid` of the message: the provider's session that has ended. By default, the message names no `sid`. [`SidMeaning`]
    /// describes which sessions of the cache the message then ends.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `sid` is empty, contains only white space, or is longer than 8 KiB.
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

/// The result of a successful sign-out. [`TokenCache::sign_out`](crate::TokenCache::sign_out) and all other methods that sign out return
/// it.
///
/// When a sign-out has returned it, no read that starts afterwards returns a token of an ended session, on any app server (G1). The
/// exception is [`NearCacheOutcome::NotAwaited`] in `near_caches`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "`ended` says whether a session ended"]
pub struct SignOut {
    /// `true` if a session ended. `false` if no session matched, or if all matching sessions had ended already.
    pub ended: bool,
    /// The number of accounts in which the sign-out looked for sessions. For a session or an account, it is one. For a `sid`, it is the
    /// number of accounts that signed in with the `sid`, or that the logout message named. For a bulk sign-out, it is the number of
    /// accounts so far.
    ///
    /// It includes accounts without a living session, so it can be positive if `ended` is `false`.
    pub accounts: usize,
    /// The least number of the store's replicas that have confirmed the sign-out, over all accounts. `None` if the store is not configured
    /// to wait for replicas, or if the sign-out found no account.
    pub replicas: Option<u32>,
    /// The result for the near caches of other app servers: whether they can still serve entries of the ended sessions.
    pub near_caches: NearCacheOutcome,
}

/// The sessions that the sign-out of one session ends: this session alone, those of its `sid`, or all of its account.
/// [`Session::sign_out_with`](crate::Session::sign_out_with) takes it, and so do the routes of the crate `token-cache-sign-out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignOutScopeKind {
    /// The session alone: one sign-in of one browser. Other sessions of the account continue.
    Session,
    /// The sessions with the same `sid` as the session, in every account, and the session itself. A `sid` is the provider's id of its own
    /// session with the user: of one browser at the provider, in all apps that share the cache.
    ///
    /// If the session has no `sid`, only this session ends. If it has ended already, nothing ends: its `sid` is then unknown.
    ProviderSession,
    /// Every session of the session's account, in every browser. The session itself may have been signed out already.
    #[default]
    Account,
}

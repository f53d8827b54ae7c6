use super::{Keys, Session, TokenCache};
use crate::store::backend::in_boxed_call;
use crate::{
    AccountId, AccountKey, CutoffBound, CutoffTime, EvictOptions, LogoutMessage, ProviderSid,
    Result, SidKey, SidMeaning, SignOut, SignOutScopeKind, Wait,
    protocol::{self, SidScope, SidSignOut, StoreSignOut},
    telemetry::{About, Operation, observe},
};

/// The sessions that a sign-out by the app ends. The app passes it to [`TokenCache::sign_out`](crate::TokenCache::sign_out).
///
/// A sign-out ends the sessions that began before it. Users can sign in again afterwards.
///
/// It also affects sign-ins that are in progress: [`TokenCache::sign_in`](crate::TokenCache::sign_in) refuses those of the same account or
/// with the same `sid` (G2). For a caller that has a session, see [`Session::sign_out_with`](crate::Session::sign_out_with).
///
/// ```
/// # use token_cache::{AccountId, ProviderSid, SignOutScope, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// let ada = AccountId::new("https://id.example", "248289761001")?;
/// let report = cache.sign_out(SignOutScope::Account(ada)).await?;
/// assert!(!report.ended); // the account had no session
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignOutScope {
    /// The sessions that began with this `sid`, in every account. If there are no such sessions, nothing ends, and the result has
    /// [`ended`](SignOut::ended) `false`.
    ProviderSession(ProviderSid),
    /// Every session of this account, in every browser.
    Account(AccountId),
}

impl TokenCache {
    /// Ends the sessions of `scope`, on every server, for good.
    ///
    /// When it returns `Ok`, no read that starts afterwards returns a token of an ended session (G1). No refresh or write that began before
    /// the sign-out can bring such a token back (G2). If no session matches, it returns `Ok` with [`ended`](SignOut::ended) `false`.
    ///
    /// The sign-out continues if the caller is dropped. It sends one request. For a provider's `sid`, it sends one request, and one more
    /// for each account under the `sid` (G3). If servers have near
    /// caches, it waits until none of them can serve an ended session: see [`Wait::Everywhere`].
    ///
    /// # Errors
    /// - The errors of the store. Call it again until it returns `Ok`.
    /// - For a `sid`, [`Config`](crate::ErrorKind::Config) if the [`SidIndex`](crate::SidIndex) has no account under it but may be incomplete. A store may
    ///   drop entries of the index for lack of memory. Sign the user out by account instead.
    pub async fn sign_out(&self, scope: SignOutScope) -> Result<SignOut> {
        self.sign_out_with(scope, Wait::Everywhere).await
    }

    /// Ends sessions like [`sign_out`](Self::sign_out), and lets the caller choose whether to wait for other servers' near caches. With
    /// [`Wait::Everywhere`], it waits, as `sign_out` does. With [`Wait::None`], it can return before the sign-out is final.
    ///
    /// # Errors
    /// As [`sign_out`](Self::sign_out). If [`may_have_applied`](crate::Error::may_have_applied) of the error is `true`, the sessions may
    /// have ended in the store while near caches can still serve them. Call it again.
    pub async fn sign_out_with(&self, scope: SignOutScope, wait: Wait) -> Result<SignOut> {
        let label = match &scope {
            SignOutScope::ProviderSession(_) => "provider_session",
            SignOutScope::Account(_) => "account",
        };
        self.end_observed(label, Ending::Named(scope), wait).await
    }

    async fn end_observed(
        &self,
        scope: &'static str,
        ending: Ending,
        wait: Wait,
    ) -> Result<SignOut> {
        let ending = in_boxed_call(self.end(ending, wait));
        observe(Operation::SignOut, About::scope(scope), ending, ended).await
    }

    async fn end(&self, ending: Ending, wait: Wait) -> Result<SignOut> {
        let keys = self.fresh_keys().await?;
        let options = self.evicting(&keys);
        let cutoff = CutoffTime::on_store_clock(keys.latest);
        let cache = self.clone();
        self.run_detached("sign out", async move {
            let ended = cache.end_in_store(ending, &keys, cutoff, options).await;
            cache.clear(ended, keys.longest_near_cache_life, wait).await
        })
        .await
    }

    async fn end_in_store(
        &self,
        ending: Ending,
        keys: &Keys,
        cutoff: CutoffTime,
        options: EvictOptions,
    ) -> Result<StoreSignOut> {
        let (session, scope) = match ending {
            Ending::Named(SignOutScope::Account(account)) => {
                let account = keys.id_key.account(&account);
                return protocol::sign_out_account(self.store(), &account, cutoff, options).await;
            }
            Ending::Named(SignOutScope::ProviderSession(session)) => {
                let sid = keys.id_key.sid(&session);
                return self.sign_out_by_sid_key(sid, cutoff, options).await;
            }
            Ending::Of(session, scope) => (session, scope),
        };
        let (account, session_id) = session.names();
        match scope {
            SignOutScopeKind::Account => {
                return protocol::sign_out_account(self.store(), account, cutoff, options).await;
            }
            SignOutScopeKind::ProviderSession => {
                if let Some(sid) = session.sid_key().await? {
                    return self.sign_out_by_sid_key(sid, cutoff, options).await;
                }
            }
            SignOutScopeKind::Session => {}
        }
        protocol::end_session(self.store(), account, session_id, options).await
    }

    /// Ends every session of an account, on every server. It is the same as [`sign_out`](Self::sign_out) with [`SignOutScope::Account`]. If
    /// a sign-in of the account is in progress, [`sign_in`](Self::sign_in) refuses it with
    /// [`SignInRevoked`](crate::ErrorKind::SignInRevoked) (G2).
    ///
    /// # Errors
    /// As [`sign_out`](Self::sign_out).
    pub async fn sign_out_account(&self, account: &AccountId) -> Result<SignOut> {
        self.sign_out(SignOutScope::Account(account.clone())).await
    }

    /// Ends the sessions that a provider's logout message names, on every server.
    ///
    /// **The caller must have verified the message**: its signature, issuer and audience. A forged message signs users out. The routes of
    /// the crate `token-cache-sign-out` verify messages, and then call this method.
    ///
    /// | the message names | the sessions that end |
    /// |---|---|
    /// | a `sub` | those of this account that were authenticated at the message's `iat` or earlier |
    /// | a `sid` | those with this `sid`, in every account; a later sign-in with the `sid` is refused |
    /// | both | those with this `sid`, and those of the account without a `sid` that were authenticated at the `iat` or earlier |
    ///
    /// With [`SidMeaning::Account`], a message with a `sid` means whole accounts: each account that signed in under the `sid`, and the
    /// account of the `sub`. It ends the sessions of these accounts that were authenticated at the `iat` or earlier. A later sign-in with
    /// the `sid` is refused as well.
    ///
    /// If no session matches, the method returns `Ok` with [`ended`](SignOut::ended) `false`. A session with a later authentication
    /// continues, unless it has the `sid` of the message and `sid`s mean sessions. A late, repeated or replayed message therefore does no
    /// harm (G2).
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the message names neither `sub` nor `sid`. Answer the provider with status 400.
    /// - [`Config`](crate::ErrorKind::Config) if the message names only a `sid`, and the [`SidIndex`](crate::SidIndex) has no account under it but may be
    ///   incomplete. A store may drop entries of the index for lack of memory.
    /// - The errors of the store. Answer the provider with a 5xx, so that it sends the message again.
    pub async fn sign_out_by(&self, message: &LogoutMessage) -> Result<SignOut> {
        self.sign_out_by_with(message, Wait::Everywhere).await
    }

    /// Ends sessions like [`sign_out_by`](Self::sign_out_by), and lets the caller choose whether to wait for other servers' near caches.
    /// With [`Wait::Everywhere`], it waits, as `sign_out_by` does. With [`Wait::None`], it can return before the sign-out is final.
    ///
    /// The caller must have verified the message: a forged message signs users out.
    ///
    /// # Errors
    /// As [`sign_out_by`](Self::sign_out_by).
    pub async fn sign_out_by_with(&self, message: &LogoutMessage, wait: Wait) -> Result<SignOut> {
        let about = About::scope("message");
        observe(
            Operation::SignOut,
            about,
            in_boxed_call(self.end_by(message, wait)),
            ended,
        )
        .await
    }

    async fn end_by(&self, message: &LogoutMessage, wait: Wait) -> Result<SignOut> {
        let keys = self.fresh_keys().await?;
        let options = self.evicting(&keys);
        let cutoff = CutoffTime::on_provider_clock(message.issued_at);
        let account = message
            .account
            .as_ref()
            .map(|account| keys.id_key.account(account));
        let sid = message
            .provider_session
            .as_ref()
            .map(|session| keys.id_key.sid(session));
        let sign_out = match (sid, account) {
            (None, None) => return Err(LogoutMessage::nameless()),
            (None, Some(account)) => ByMessage::Account(account),
            (Some(sid), named) => ByMessage::Sid(SidSignOut {
                sid,
                bound: CutoffBound::Forever,
                reach: self.reach(cutoff),
                named: named.map(|account| (account, message.issued_at)),
            }),
        };
        let cache = self.clone();
        self.run_detached("sign out", async move {
            let ended = match sign_out {
                ByMessage::Account(account) => {
                    protocol::sign_out_account(cache.store(), &account, cutoff, options).await
                }
                ByMessage::Sid(sign_out) => {
                    protocol::sign_out_sid(cache.store(), &sign_out, options).await
                }
            };
            cache.clear(ended, keys.longest_near_cache_life, wait).await
        })
        .await
    }

    /// Ends the sessions of one `sid`, and no others. [`sid_meaning`](crate::TokenCacheBuilder::sid_meaning) applies
    /// only to messages that the provider has signed, and a front-channel request proves nothing.
    async fn sign_out_by_sid_key(
        &self,
        sid: SidKey,
        cutoff: CutoffTime,
        options: EvictOptions,
    ) -> Result<StoreSignOut> {
        let sign_out = SidSignOut {
            sid,
            bound: CutoffBound::Time(cutoff),
            reach: SidScope::WithSid,
            named: None,
        };
        protocol::sign_out_sid(self.store(), &sign_out, options).await
    }

    /// Returns what a signed message of the provider ends besides the sessions of its `sid`.
    fn reach(&self, cutoff: CutoffTime) -> SidScope {
        match self.0.settings.sid_meaning {
            SidMeaning::Session => SidScope::WithSid,
            SidMeaning::Account => SidScope::Account(cutoff),
        }
    }
}

/// The sessions that a sign-out by the app ends.
enum Ending {
    Named(SignOutScope),
    /// The session, or others like it.
    Of(Session, SignOutScopeKind),
}

impl Session {
    /// Ends this session, on every server (G1). The user's sessions in other browsers continue. It is the same as
    /// [`sign_out_with`](Self::sign_out_with) with [`SignOutScopeKind::Session`] and [`Wait::Everywhere`].
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`].
    pub async fn sign_out(&self) -> Result<SignOut> {
        self.sign_out_with(SignOutScopeKind::Session, Wait::Everywhere)
            .await
    }

    /// Ends this session, those of its `sid`, or all of its account, as `scope` says. It is for callers that have the ticket of a session
    /// and know neither its account nor its `sid`. `wait` chooses whether the sign-out waits for other servers' near caches: with
    /// [`Wait::None`], it can return before it is final.
    ///
    /// [`SignOutScopeKind::ProviderSession`] first reads the session's `sid`, with one request.
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`].
    pub async fn sign_out_with(&self, scope: SignOutScopeKind, wait: Wait) -> Result<SignOut> {
        let label = match scope {
            SignOutScopeKind::Session => "session",
            SignOutScopeKind::ProviderSession => "provider_session",
            SignOutScopeKind::Account => "account",
        };
        let ending = Ending::Of(self.clone(), scope);
        self.cache().end_observed(label, ending, wait).await
    }
}

/// The target of a provider's message.
enum ByMessage {
    Account(AccountKey),
    Sid(SidSignOut),
}

fn ended(sign_out: &SignOut) -> &'static str {
    if sign_out.ended { "ended" } else { "nothing" }
}

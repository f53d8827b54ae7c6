use crate::{
    AccountKey, CutoffBound, CutoffTime, Error, ErrorKind, EvictOptions, EvictTarget, Evicted,
    NotBeforeOptions, Published, Result, SessionId, SidKey, SignOut, Timestamp, TokenStore,
};

/// The result of a sign-out in the store. The store has confirmed each eviction, but near caches of other app servers may still have
/// entries.
///
/// [`TokenCache`](crate::TokenCache) then waits for these near caches, and returns `sign_out`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoreSignOut {
    /// The report: whether a session ended, in how many accounts, and how many replicas confirmed it. It says nothing of near caches yet.
    pub sign_out: SignOut,
    /// The accounts that were visited, each with its invalidation message. The message is `None` if none was published for the account.
    pub evicted: Vec<(AccountKey, Option<Published>)>,
    /// `true` if the sign-out reached accounts that cannot be listed: those of an issuer without stored data, because an earlier sign-out
    /// has ended all their sessions. If that sign-out did not wait, or its end was not observed, near caches may still have entries of
    /// these accounts.
    pub unnamed: bool,
    /// `true` if the index has no account for the `sid` to end. The store may have lost the index, and with it the registry of near-cache
    /// leases and the accounts that near caches contain.
    pub unknown_sid: bool,
}

impl StoreSignOut {
    pub(crate) fn add(&mut self, account: &AccountKey, evicted: Evicted) {
        self.sign_out.add(&evicted);
        self.evicted.push((*account, evicted.published));
    }
}

/// The sessions that a sign-out by `sid` ends in each account that it reaches.
///
/// [`sid_meaning`](crate::TokenCacheBuilder::sid_meaning) chooses it, for messages that the provider signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "with the `sid`, or all")]
pub enum SidScope {
    /// The sessions with the `sid`. In the account of [`SidSignOut::named`], earlier sessions without a `sid` end too.
    WithSid,
    /// All sessions up to the cutoff time, for providers whose `sid` means the account.
    Account(CutoffTime),
}

/// The input of [`sign_out_sid`]: the provider's session to end, in terms of the store.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the protocol's own input")]
pub struct SidSignOut {
    /// The keyed hash of the `sid` to end.
    pub sid: SidKey,
    /// The sessions with the `sid` that it ends: those up to a cutoff time, or all, also later ones.
    pub bound: CutoffBound,
    /// The sessions that it ends in each account.
    pub reach: SidScope,
    /// The account that the message names besides the `sid`, and the message's `iat`. With [`SidScope::WithSid`], the account's sessions
    /// without a `sid` up to that time end as well. `None` if the message names only the `sid`.
    pub named: Option<(AccountKey, Timestamp)>,
}

/// Ends one session in the store. Sends one request. `sign_out.ended` is `false` if the session had ended already.
///
/// It does not wait for near caches of other app servers: [`TokenCache`](crate::TokenCache) does that afterwards.
///
/// # Errors
/// The errors of the store.
pub async fn end_session(
    store: &dyn TokenStore,
    account: &AccountKey,
    session_id: &SessionId,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    evict_and_report(store, account, EvictTarget::Session(*session_id), options).await
}

/// Ends every session of an account in the store, up to and including the cutoff time. Sends one request, however many sessions the account
/// has (G3).
///
/// The store also keeps the cutoff time as a not-before time of the account. With it, the store refuses a sign-in that arrives later and
/// whose time on the same clock is equal or earlier (G2).
///
/// The function does not wait for near caches of other app servers: [`TokenCache`](crate::TokenCache) does that afterwards.
///
/// # Errors
/// The errors of the store.
pub async fn sign_out_account(
    store: &dyn TokenStore,
    account: &AccountKey,
    cutoff: CutoffTime,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    evict_and_report(store, account, EvictTarget::Account(cutoff), options).await
}

/// Ends the sessions that were begun under a provider's session, in the store. Sends one request, and one for each account.
///
/// It first sets the not-before time of the `sid` in the index, and then evicts in each account that the index or the message names. If the
/// index is complete and no account is named, it returns `Ok` with `unknown_sid` set.
///
/// The function does not wait for near caches of other app servers: [`TokenCache`](crate::TokenCache) does that afterwards.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) if the store has no `sid` index and no account is named; [`Config`](ErrorKind::Config)
/// if no account is found in an index that the store may have dropped; the errors of the store, after every account was tried.
pub async fn sign_out_sid(
    store: &dyn TokenStore,
    sign_out: &SidSignOut,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    let SidSignOut {
        sid,
        bound,
        reach,
        named,
    } = *sign_out;
    let mut accounts = match store.sid_index() {
        Some(sid_index) => {
            let not_before = NotBeforeOptions::lifetime(options.not_before_lifetime);
            let pointed = sid_index
                .set_sid_not_before(&sid, bound, not_before)
                .await?;
            if pointed.accounts.is_empty() && pointed.may_be_incomplete && named.is_none() {
                return Err(index_may_be_lost());
            }
            pointed.accounts
        }
        None if named.is_some() => Vec::new(),
        None => {
            return Err(
                Error::new(ErrorKind::Unsupported, "sign out a provider session")
                    .message("this store has no `sid` index; name the subject as well"),
            );
        }
    };
    if let Some((account, _)) = named
        && !accounts.contains(&account)
    {
        accounts.push(account);
    }

    let mut ended = StoreSignOut {
        unknown_sid: accounts.is_empty(),
        ..StoreSignOut::default()
    };
    let mut failed = None;
    for account in &accounts {
        let target = match (reach, named) {
            (SidScope::Account(cutoff), _) => EvictTarget::Account(cutoff),
            (SidScope::WithSid, Some((named, without_sid_until))) if named == *account => {
                EvictTarget::SidOrWithoutSid {
                    sid,
                    without_sid_until,
                }
            }
            (SidScope::WithSid, _) => EvictTarget::Sid { sid, bound },
        };
        match store.evict(account, target, options).await {
            Ok(evicted) => ended.add(account, evicted),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(ended),
    }
}

async fn evict_and_report(
    store: &dyn TokenStore,
    account: &AccountKey,
    target: EvictTarget,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    let mut ended = StoreSignOut::default();
    ended.add(account, store.evict(account, target, options).await?);
    Ok(ended)
}

fn index_may_be_lost() -> Error {
    Error::config(
        "sign out a provider session",
        "no account is known under this `sid`, but the store may evict its index under memory pressure; \
         set `maxmemory-policy noeviction`, and sign the user out by subject",
    )
}

use crate::{
    AccountKey, CutoffBound, CutoffTime, Error, EvictOptions, EvictTarget, Evicted, Invalidation,
    NotBeforeOptions, Published, Result, SessionId, SidKey, SignOut, Timestamp, TokenStore,
};

/// The result of a sign-out in the store, which the functions of this module return. The store has ended the sessions, but near caches of
/// other app servers may still have their entries.
///
/// A [`TokenCache`](crate::TokenCache) then waits for these near caches, and returns `sign_out` to the app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoreSignOut {
    /// The result for the app: whether a session ended, in how many accounts, and how many replicas confirmed it. Its field
    /// [`near_caches`](SignOut::near_caches) does not have the result yet: it is [`Unused`](crate::NearCacheOutcome::Unused).
    pub sign_out: SignOut,
    /// The accounts in which the store confirmed an eviction, each with the invalidation message that the store published for it. `None` if
    /// the store published no message for the account.
    pub evicted: Vec<(AccountKey, Option<Published>)>,
    /// `true` if the sign-out also concerned accounts that it cannot list, and `false` otherwise. An earlier sign-out has ended the
    /// sessions of these accounts, so that the store has nothing of them. Only a sign-out of a whole issuer has such accounts.
    ///
    /// If that earlier sign-out did not wait for near caches, or was interrupted, near caches may still have entries of these accounts. The
    /// [`TokenCache`](crate::TokenCache) therefore invalidates the near-cache entries of all accounts.
    pub unnamed: bool,
    /// `true` if a sign-out by `sid` found no account, neither in the [index of `sid`s](crate::SidIndex) nor in the logout message, and
    /// `false` otherwise.
    ///
    /// The store may have lost the index and the [registry of near-cache leases](crate::RegistryId) together, while near caches still have
    /// entries of the accounts. The [`TokenCache`](crate::TokenCache) therefore checks whether the registry was lost. If it was, the
    /// sign-out waits for the longest lease.
    pub unknown_sid: bool,
}

impl StoreSignOut {
    pub(crate) fn add(&mut self, account: &AccountKey, evicted: Evicted) {
        self.sign_out.add(&evicted);
        self.evicted.push((*account, evicted.published));
    }

    /// Returns the near-cache entries that must be dropped after this sign-out.
    pub fn invalidation(&self) -> Invalidation {
        if self.unnamed {
            return Invalidation::Everything;
        }
        Invalidation::of(self.evicted.iter().map(|(account, _)| *account))
    }
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

/// The sessions that a sign-out by `sid` ends in each account that it finds: those with the `sid`, or all.
///
/// For a logout message that the provider signed, [`TokenCacheBuilder::sid_meaning`](crate::TokenCacheBuilder::sid_meaning) chooses it.
/// Other sign-outs use [`WithSid`](Self::WithSid).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "with the `sid`, or all")]
pub enum SidScope {
    /// The sessions of each account whose sign-in had the `sid`. In the account of [`SidSignOut::named`], the sessions without a `sid` end
    /// too, if their users authenticated at the message's `iat` or earlier.
    WithSid,
    /// All sessions of each account, with any `sid` or without one, whose time on the clock of this cutoff time is equal to it or earlier.
    /// It is for providers that use one `sid` for all sessions of a user.
    Account(CutoffTime),
}

/// The input of [`sign_out_sid`]: the provider's `sid` to sign out, with the keyed hashes that the store knows. A
/// [`TokenCache`](crate::TokenCache) creates it. Apps do not need it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the protocol's own input")]
pub struct SidSignOut {
    /// The keyed hash of the `sid` to sign out.
    pub sid: SidKey,
    /// The sessions with the `sid` that end: those up to a cutoff time, or all of them. By the same bound, the store refuses later sign-ins
    /// with the `sid`. With [`SidScope::Account`], it selects no session to end, and only decides which sign-ins with the `sid` the store
    /// refuses from then on.
    pub bound: CutoffBound,
    /// The sessions that end in each account of the `sid`: those with the `sid`, or all up to a cutoff time.
    pub reach: SidScope,
    /// The account that the logout message names besides the `sid`, and the message's claim `iat`. `None` if there is no message, or if it
    /// names only the `sid`.
    ///
    /// With [`SidScope::WithSid`], the account's sessions without a `sid` end as well, if their users authenticated at the `iat` or
    /// earlier.
    pub named: Option<(AccountKey, Timestamp)>,
}

/// Ends the session `session_id` of `account` in the store. Sends one request. `options` has the time on the store's clock, and says
/// whether the store publishes an [invalidation message](crate::InvalidationMessage).
///
/// In the result, [`SignOut::ended`] is `true` if the session ended, and `false` if it had ended already.
///
/// The function does not wait for near caches of other app servers: [`TokenCache`](crate::TokenCache) does that afterwards.
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

/// Ends every session of `account` in the store whose time on the clock of `cutoff` is equal to the cutoff time or earlier. Sends one
/// request, however many sessions the account has (G3). `options` has the time on the store's clock, and says whether the store publishes
/// an [invalidation message](crate::InvalidationMessage).
///
/// The store also keeps the cutoff time as a not-before time of the account. The store then refuses a sign-in that arrives after the
/// sign-out, if the sign-in's time on the same clock is equal or earlier (G2). Later sign-ins are accepted.
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

/// Ends the sessions of one `sid` of the provider in the store, in every account that signed in with it. `options` has the time on the
/// store's clock, and says whether the store publishes an [invalidation message](crate::InvalidationMessage).
///
/// The function finds the accounts of the `sid` in the store's index ([`SidIndex`](crate::SidIndex)). The logout
/// message can also name an account ([`SidSignOut::named`]). The function acts in two steps:
/// 1. It sets the not-before time of the `sid` in the index, and reads the accounts of the `sid`.
/// 2. It evicts in each of these accounts and in the named one, with one request for each account.
///
/// If neither the index nor the message has an account, nothing is evicted. If the index is complete, the function then returns `Ok` with
/// [`unknown_sid`](StoreSignOut::unknown_sid) `true`. If entries of the index may be lost, it returns an error.
///
/// The function does not wait for near caches of other app servers: [`TokenCache`](crate::TokenCache) does that afterwards.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the index has no account of the `sid`, the store may have dropped entries of the index, and the
///   message names no account.
/// - The errors of the store. If evictions fail, the first error is returned after every account was tried. It
///   [may have applied](Error::may_have_applied), since the index already has the not-before time of the `sid`.
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
    let not_before = NotBeforeOptions::lifetime(options.not_before_lifetime);
    let pointed = store.set_sid_not_before(&sid, bound, not_before).await?;
    if pointed.accounts.is_empty() && pointed.may_be_incomplete && named.is_none() {
        return Err(index_may_be_lost());
    }
    let mut accounts = pointed.accounts;
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
        // The index has the not-before time already, and other accounts may have been evicted.
        Some(error) => Err(error.maybe_applied()),
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

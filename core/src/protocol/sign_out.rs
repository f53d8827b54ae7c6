use crate::{
    AccountKey, CutoffBound, CutoffTime, Error, ErrorKind, EvictOptions, EvictTarget, Evicted,
    NotBeforeOptions, Published, Result, SessionId, SidKey, SignOut, Timestamp, TokenStore,
};

/// What the steps of a sign-out did: each eviction was answered before it was made. Other servers' near caches have yet to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoreSignOut {
    /// What there was to end.
    pub sign_out: SignOut,
    /// The accounts that were visited, and what became of each invalidation message; none where there was none.
    pub evicted: Vec<(AccountKey, Option<Published>)>,
    /// Whether it reached accounts that nobody can name: those of an issuer of which the store keeps nothing any more, since a
    /// sign-out that did not wait, or was not seen to end, has ended all of their sessions. Copies of theirs may be left.
    pub unnamed: bool,
    /// Whether the index knows nothing of the `sid` that was to end. The store may have lost it, and with it who holds a lease and
    /// which accounts there are copies of.
    pub unknown_sid: bool,
}

impl StoreSignOut {
    pub(crate) fn add(&mut self, account: &AccountKey, evicted: Evicted) {
        self.sign_out.add(&evicted);
        self.evicted.push((*account, evicted.published));
    }
}

/// What a sign-out by `sid` ends in the accounts it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "labelled or all")]
pub enum SidScope {
    /// The sessions labelled with the `sid`.
    WithSid,
    /// All sessions: for providers whose `sid` means the account.
    Account(CutoffTime),
}

/// A sign-out of a provider's session in the store's terms.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the protocol's own input")]
pub struct SidSignOut {
    /// The provider's session.
    pub sid: SidKey,
    /// How far the cut reaches.
    pub bound: CutoffBound,
    /// What it ends in each account.
    pub reach: SidScope,
    /// The account that the message names too, and the message's `iat`: its unlabelled sessions end as well.
    pub named: Option<(AccountKey, Timestamp)>,
}

/// Ends one session. One request.
///
/// # Errors
/// The store's own failures.
pub async fn end_session(
    store: &dyn TokenStore,
    account: &AccountKey,
    session_id: &SessionId,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    evict_and_report(store, account, EvictTarget::Session(*session_id), options).await
}

/// Ends every session of an account that stands at or before a moment. One request (G3).
///
/// # Errors
/// The store's own failures.
pub async fn sign_out_account(
    store: &dyn TokenStore,
    account: &AccountKey,
    cutoff: CutoffTime,
    options: EvictOptions,
) -> Result<StoreSignOut> {
    evict_and_report(store, account, EvictTarget::Account(cutoff), options).await
}

/// Ends the sessions of a provider's session: first the index is marked, then the accounts it names are cut. One request, and
/// one for each account.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) for a store without a `sid` index, unless an account is named;
/// [`Config`](ErrorKind::Config) where no account is found in an index that the store may have dropped; the store's own
/// failures, after every account was tried.
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
                    .message("this store has no index of `sid`s; name the subject as well"),
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

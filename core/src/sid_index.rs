use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    AccountKey, CutoffBound, EvictOptions, Evicted, IssuerKey, Result, SidKey, Timestamp,
    options::NOT_BEFORE_LIFETIME,
};

/// A sign-in's entry in the index from a provider's `sid` to accounts.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SidEntry {
    /// The account that signed in.
    pub account: AccountKey,
    /// Where the session stands on the store's clock.
    pub requested_at: Timestamp,
    /// When the session ends, on the store's clock.
    pub ends_at: Timestamp,
    /// From this moment of the store's own clock on, the request is refused.
    pub not_after: Timestamp,
}

impl SidEntry {
    /// A pointer of these parts.
    pub const fn new(
        account: AccountKey,
        requested_at: Timestamp,
        ends_at: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        Self {
            account,
            requested_at,
            ends_at,
            not_after,
        }
    }
}

/// What [`SidIndex::set_sid_not_before`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SidAccounts {
    /// The accounts that signed in under the `sid`.
    pub accounts: Vec<AccountKey>,
    /// True where the store may have dropped index entries, so that no accounts proves nothing.
    pub may_be_incomplete: bool,
}

impl SidAccounts {
    /// These accounts, and no others.
    pub const fn at(accounts: Vec<AccountKey>) -> Self {
        Self {
            accounts,
            may_be_incomplete: false,
        }
    }

    /// Says that the store may have dropped some.
    pub const fn maybe_incomplete(mut self) -> Self {
        self.may_be_incomplete = true;
        self
    }
}

/// How to cut a provider's session in the index.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NotBeforeOptions {
    /// How long the marker lives at least, counted from its landing.
    pub not_before_lifetime: Duration,
}

impl NotBeforeOptions {
    /// A marker that lives so long.
    pub const fn lifetime(not_before_lifetime: Duration) -> Self {
        Self {
            not_before_lifetime,
        }
    }
}

impl Default for NotBeforeOptions {
    fn default() -> Self {
        Self::lifetime(NOT_BEFORE_LIFETIME)
    }
}

/// Which accounts to stream, and from where on.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AccountListOptions {
    /// Only those of this issuer.
    pub issuer: Option<IssuerKey>,
    /// Where an earlier page ended.
    pub cursor: Option<AccountCursor>,
    /// About how many accounts a page is to have; zero leaves it to the store.
    pub page: usize,
}

impl AccountListOptions {
    /// Every account of one issuer.
    pub fn of_issuer(issuer: IssuerKey) -> Self {
        Self {
            issuer: Some(issuer),
            ..Self::default()
        }
    }

    /// Goes on where a page ended.
    pub fn from(mut self, cursor: AccountCursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Asks for pages of about so many accounts.
    pub fn page(mut self, accounts: usize) -> Self {
        self.page = accounts;
        self
    }
}

/// Where a page of accounts ended: opaque, a store's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountCursor(String);

impl AccountCursor {
    /// A cursor with a text that its store understands.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some accounts, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPage {
    /// The accounts; there may be none although more follow, and one may come twice.
    pub accounts: Vec<AccountKey>,
    /// Where to go on; none at the end.
    pub next: Option<AccountCursor>,
}

impl AccountPage {
    /// A page of these parts.
    pub const fn new(accounts: Vec<AccountKey>, next: Option<AccountCursor>) -> Self {
        Self { accounts, next }
    }
}

/// Whether a batch leaves a marker on every account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "marked or not")]
pub enum NotBeforeScope {
    /// Each account is marked: they were named one by one.
    Account,
    /// None is: their issuer is marked.
    Issuer,
}

/// What goes across accounts: the index from a provider's `sid` to accounts, issuers' markers, the stream of accounts. An
/// optional part of a store; without it there is no sign-out by `sid` alone, nor of an issuer.
#[async_trait]
pub trait SidIndex: Send + Sync {
    /// Enters a sign-in under its `sid`, beside other accounts. One request; at the most a few where others enter at the same
    /// time, or live longer.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the `sid` is marked for good, or at or after the pointer's
    /// `requested_at`, or the store's own clock has passed `not_after` (G2); the store's own failures.
    ///
    /// # Behaviour
    /// - The entry lives as long as the longest session under the `sid`; its expiry only rises.
    /// - Sent twice, it does the same.
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()>;

    /// Marks a `sid`, also an unknown one, and answers with the accounts under it. One request; a second one where it would lower
    /// what is there.
    ///
    /// A marker is never an answer: called again, it answers with the accounts again.
    ///
    /// # Errors
    /// The store's own failures.
    ///
    /// # Behaviour
    /// - The marker lives `not_before_lifetime` from its landing, and at least as long as the index entry.
    /// - Markers only rise: the later moment stays, and one for good stays for good.
    /// - `CutoffBound::CutoffTime` is of the store's clock.
    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts>;

    /// Refuses a sign-in that a sign-out of its whole issuer overtook. One request.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the issuer is marked at or after `requested_at`, or the store's own
    /// clock has passed `not_after` (G2); the store's own failures.
    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()>;

    /// Marks an issuer at a moment of the store's clock; the later of two stays. One request; a second one where it would lower
    /// what is there.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()>;

    /// Some of the accounts that have a partition. A store may visit far more than it answers with.
    ///
    /// Every account whose partition exists from the first page to the last is in one of them.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) for a cursor that is not this store's; the store's own failures.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage>;

    /// Cuts many accounts at one moment of the store's clock: what
    /// [`TokenStore::evict`](crate::TokenStore::evict) does with [`EvictTarget::Account`](crate::EvictTarget::Account), hundreds a
    /// request, or many requests under way.
    ///
    /// # Errors
    /// One for each account that failed, in the order given; the others are evicted.
    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>>;
}

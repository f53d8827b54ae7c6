use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    AccountKey, CutoffBound, EvictOptions, Evicted, IssuerKey, Result, SidKey, Timestamp,
    options::NOT_BEFORE_LIFETIME,
};

/// An entry of the sid index: a sign-in of an account under a provider's `sid`.
///
/// A sign-in passes it to [`SidIndex::add`], so that a logout message that names only the `sid` finds the account.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SidEntry {
    /// The account that signed in.
    pub account: AccountKey,
    /// When the authorization request of the session was sent, on the store's clock.
    pub requested_at: Timestamp,
    /// When the session ends, on the store's clock.
    pub ends_at: Timestamp,
    /// The deadline of [`SidIndex::add`], on the store's own clock. From this time on the store refuses the request.
    pub not_after: Timestamp,
}

impl SidEntry {
    /// Creates an entry for [`SidIndex::add`]. All times are on the store's clock, as described at the fields.
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

/// The accounts of a `sid`, which [`SidIndex::set_sid_not_before`] returns and a sign-out then evicts from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SidAccounts {
    /// The accounts that signed in under the `sid` and whose sessions may still live. Empty if the index does not have the `sid`.
    pub accounts: Vec<AccountKey>,
    /// `true` if the store may have dropped entries of the index. Then an empty list does not prove that there are no accounts.
    pub may_be_incomplete: bool,
}

impl SidAccounts {
    /// Creates a complete list of accounts.
    pub const fn at(accounts: Vec<AccountKey>) -> Self {
        Self {
            accounts,
            may_be_incomplete: false,
        }
    }

    /// Sets that the store may have dropped entries of the index.
    pub const fn maybe_incomplete(mut self) -> Self {
        self.may_be_incomplete = true;
        self
    }
}

/// The options of [`SidIndex::set_sid_not_before`] and [`SidIndex::set_issuer_not_before`]: how long the not-before time is stored, 30
/// minutes by default.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NotBeforeOptions {
    /// The minimum duration for which the store keeps the not-before time, counted from when the store receives it: 30 minutes by default.
    pub not_before_lifetime: Duration,
}

impl NotBeforeOptions {
    /// Creates options with this lifetime of the not-before time.
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

/// The options of [`SidIndex::accounts`]: the accounts to list, and the page to return.
///
/// By default, it lists the accounts of all issuers from the first page on.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AccountListOptions {
    /// The issuer whose accounts are listed. `None` lists the accounts of all issuers.
    pub issuer: Option<IssuerKey>,
    /// The cursor of the page before, from [`AccountPage::next`]. `None` lists from the beginning.
    pub cursor: Option<AccountCursor>,
    /// The approximate number of accounts in a page. If it is zero (the default), the store decides.
    pub page: usize,
}

impl AccountListOptions {
    /// Creates options that list the accounts of one issuer, from the beginning.
    pub fn of_issuer(issuer: IssuerKey) -> Self {
        Self {
            issuer: Some(issuer),
            ..Self::default()
        }
    }

    /// Sets the cursor of the page before, to list the page after it.
    pub fn from(mut self, cursor: AccountCursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Sets the approximate number of accounts in a page.
    pub fn page(mut self, accounts: usize) -> Self {
        self.page = accounts;
        self
    }
}

/// The end of a page of accounts, from which a listing continues: a text that only its store understands.
///
/// An app can serialize it to continue later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountCursor(String);

impl AccountCursor {
    /// Creates a cursor from a text of the store. [`SidIndex::accounts`] checks the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A page of accounts, and the cursor of the next page. [`SidIndex::accounts`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPage {
    /// The accounts. The list may be empty although more pages follow, and it may contain an account twice.
    pub accounts: Vec<AccountKey>,
    /// The cursor of the next page, or `None` at the end.
    pub next: Option<AccountCursor>,
}

impl AccountPage {
    /// Creates a page. `next` is the cursor of the next page, or `None` at the end.
    pub const fn new(accounts: Vec<AccountKey>, next: Option<AccountCursor>) -> Self {
        Self { accounts, next }
    }
}

/// The choice whether a bulk eviction sets a not-before time on each account, for [`SidIndex::evict_accounts`].
///
/// Either each account or their issuer must have a not-before time. With it, the store refuses a sign-in that began earlier and arrives
/// later (G2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "on the accounts or on the issuer")]
pub enum NotBeforeScope {
    /// Sets a not-before time on each account, for accounts that were listed one by one.
    Account,
    /// Sets no not-before time on the accounts. The caller must have set the issuer's before, with [`SidIndex::set_issuer_not_before`].
    Issuer,
}

/// The part of a store that spans accounts: the index from a provider's `sid` to accounts, the not-before times of issuers, and the
/// listing of accounts.
///
/// It is optional. Without it, a store supports neither sign-out by `sid` alone nor sign-out of an issuer.
#[async_trait]
pub trait SidIndex: Send + Sync {
    /// Adds the account of a sign-in to the index, under `sid`. Accounts that the index already has under this `sid` stay.
    ///
    /// Sends one request. A store may send a few if other sign-ins add to the same `sid` at the same time, or if another session under it
    /// ends later.
    ///
    /// # Errors
    /// - [`SignedOut`](crate::ErrorKind::SignedOut) if a sign-out overtook the sign-in (G2): the `sid` was ended forever, its not-before
    ///   time is equal to or later than the `requested_at` of `sid_entry`, or the store's own clock has passed `not_after`.
    /// - The store's own failures.
    ///
    /// # Behaviour
    /// - The index has the `sid` until the last session under it has ended. The expiry of the `sid` in the index never becomes earlier.
    /// - A request that is sent twice has the effect of one.
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()>;

    /// Sets the not-before time of a `sid`, and returns the accounts under the `sid`. Sends one request, or two if the `sid` already has a
    /// later not-before time or one that expires later.
    ///
    /// If the index does not have the `sid`, the not-before time is set nevertheless, and the list is empty. A repeated call returns the
    /// accounts again.
    ///
    /// # Errors
    /// The store's own failures.
    ///
    /// # Behaviour
    /// - The not-before time is stored for at least `not_before_lifetime` after the store receives it, and at least as long as the index
    ///   has the `sid`.
    /// - Not-before times never become earlier: the later one stays, and `CutoffBound::Forever` stays.
    /// - The time of `CutoffBound::Time` is on the store's clock.
    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts>;

    /// Checks that no sign-out of the whole issuer overtook a sign-in that began at `requested_at`. Sends one request.
    ///
    /// Returns `Ok` if the store's own clock has not passed `not_after`, and the issuer has no not-before time or one that is earlier than
    /// `requested_at`.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the issuer's not-before time is equal to or later than `requested_at`, or if the
    /// store's own clock has passed `not_after` (G2); the store's own failures.
    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()>;

    /// Sets the not-before time of an issuer to `at`, on the store's clock. A later time that the issuer already has stays. Sends one
    /// request, or two if the issuer already has a later not-before time or one that expires later.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()>;

    /// Returns a page of the accounts for which the store has data. A store may visit far more accounts than it returns.
    ///
    /// An account is in at least one page if the store has data for it during the whole listing, from the first page to the last.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if the cursor is invalid for this store; the store's own failures.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage>;

    /// Evicts many accounts up to one cutoff time on the store's clock.
    ///
    /// For each account, it does the same as [`TokenStore::evict`](crate::TokenStore::evict) with
    /// [`EvictTarget::Account`](crate::EvictTarget::Account). It sends one request for hundreds of accounts, or many requests at once.
    ///
    /// Returns one result for each account, in the order of `accounts`.
    ///
    /// # Errors
    /// An account whose eviction failed has an error as its result. The other accounts are evicted nevertheless.
    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>>;
}

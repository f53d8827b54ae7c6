use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    AccountKey, CutoffBound, Error, EvictOptions, Evicted, IssuerKey, Result, SidKey, Timestamp,
    store::options::NOT_BEFORE_LIFETIME,
};

/// An entry of a store's [index of `sid`s](SidIndex): the account that signed in under a provider's `sid`.
///
/// A sign-in passes it to [`SidIndex::add`]. A later logout message that names only the `sid` then finds the account. Apps do not need it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SidEntry {
    /// The account that signed in.
    pub account: AccountKey,
    /// The time at which the authorization request of the sign-in was sent, on the store's clock. The store compares it with the not-before
    /// time of the `sid`, and refuses a sign-in with an equal or earlier time.
    pub requested_at: Timestamp,
    /// The time at which the session of the sign-in ends, on the store's clock. The store keeps the entry in the index at least until then.
    pub ends_at: Timestamp,
    /// The deadline of the request that adds the entry, on the store's own clock. The store refuses the request at this time or later with
    /// [`SignedOut`](crate::ErrorKind::SignedOut): a sign-out may have passed it by, whose not-before time is no longer stored.
    pub not_after: Timestamp,
}

impl SidEntry {
    /// Creates an entry for [`SidIndex::add`]. A sign-in with a `sid` calls it. The parameters are the fields of the same names.
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

/// The accounts that signed in under a `sid`. [`SidIndex::set_sid_not_before`] returns them, and the sign-out then ends their sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SidAccounts {
    /// The accounts that signed in under the `sid` and may still have a session with it. Empty if the index does not have the `sid`.
    pub accounts: Vec<AccountKey>,
    /// `true` if the store may have dropped entries of the index, for example for lack of memory. An empty list then does not prove that no
    /// account signed in. If the list is empty, a sign-out by this `sid` fails with [`Config`](crate::ErrorKind::Config), unless the logout
    /// message names an account.
    pub may_be_incomplete: bool,
}

impl SidAccounts {
    /// Creates the result of [`SidIndex::set_sid_not_before`]: the list of `accounts` is complete. A store calls it. If the store may have
    /// dropped entries of the index, it also calls [`maybe_incomplete`](Self::maybe_incomplete).
    pub const fn at(accounts: Vec<AccountKey>) -> Self {
        Self {
            accounts,
            may_be_incomplete: false,
        }
    }

    /// Sets [`may_be_incomplete`](Self::may_be_incomplete) to `true`: the store may have dropped entries of the index, for example for lack
    /// of memory. By default, it is `false`.
    pub const fn maybe_incomplete(mut self) -> Self {
        self.may_be_incomplete = true;
        self
    }
}

/// The options of [`SidIndex::set_sid_not_before`] and [`SidIndex::set_issuer_not_before`]: how long the store keeps the not-before time. A
/// not-before time is the time of a sign-out, up to which the store refuses sign-ins.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NotBeforeOptions {
    /// The least time for which the store keeps the not-before time, counted from when the store receives it: 30 minutes by default.
    ///
    /// If it is shorter than a sign-in may take, a sign-in that began before the sign-out can be accepted after it.
    pub not_before_lifetime: Duration,
}

impl NotBeforeOptions {
    /// Creates options with this lifetime of the not-before time, counted from when the store receives it. The default options have 30
    /// minutes ([`NOT_BEFORE_LIFETIME`]). A sign-out calls it.
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
/// The default lists the accounts of all issuers, and returns the first page.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AccountListOptions {
    /// The issuer whose accounts are listed. `None`, the default, lists the accounts of all issuers.
    pub issuer: Option<IssuerKey>,
    /// The cursor of the page to return: [`AccountPage::next`] of the page before it. `None`, the default, returns the first page.
    pub cursor: Option<AccountCursor>,
    /// The approximate number of accounts in a page. A page may have more or fewer. Zero, the default, means that the store chooses the
    /// number.
    pub page: usize,
}

impl AccountListOptions {
    /// Creates options that list the accounts of one issuer, from the first page.
    pub fn of_issuer(issuer: IssuerKey) -> Self {
        Self {
            issuer: Some(issuer),
            ..Self::default()
        }
    }

    /// Sets the cursor of the page to return: [`AccountPage::next`] of the page before it. By default, the first page is returned.
    pub fn from(mut self, cursor: AccountCursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Sets the approximate number of accounts in a page, which may have more or fewer. By default, and with zero, the store chooses the
    /// number.
    pub fn page(mut self, accounts: usize) -> Self {
        self.page = accounts;
        self
    }
}

/// The position in a list of accounts at which the next page begins. [`AccountPage::next`] has it, and [`AccountListOptions::cursor`] takes
/// it.
///
/// It is a text that only the store that returned it understands. It can be serialized, to continue the list later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountCursor(String);

impl AccountCursor {
    /// Creates a cursor from a text of the store's choice. A store calls it when it returns a page of accounts. [`SidIndex::accounts`]
    /// refuses a text that is invalid for the store with [`Misuse`](crate::ErrorKind::Misuse).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text from which the store created the cursor. A store calls it to find the accounts of the next page.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A page of the list of all accounts that have sessions, or of those of one issuer. [`SidIndex::accounts`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPage {
    /// The accounts of this page. The list may be empty although more pages follow. It may contain an account that this page or an earlier
    /// one contains already.
    pub accounts: Vec<AccountKey>,
    /// The cursor of the next page. `None` if this page is the last one.
    pub next: Option<AccountCursor>,
}

impl AccountPage {
    /// Creates the only page of a store that lists all its accounts at once: those of `accounts` that `scan` selects.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if `scan` has a cursor, which another store must have returned.
    pub fn whole(mut accounts: Vec<AccountKey>, scan: &AccountListOptions) -> Result<Self> {
        if scan.cursor.is_some() {
            return Err(Error::misuse(
                "list accounts",
                "the cursor is of another store; begin the list anew, without a cursor",
            ));
        }
        accounts.retain(|account| scan.issuer.is_none_or(|issuer| issuer == *account.issuer()));
        Ok(Self::new(accounts, None))
    }

    /// Creates a page of accounts. A store calls it. `next` is the cursor of the next page, or `None` if this page is the last one.
    pub const fn new(accounts: Vec<AccountKey>, next: Option<AccountCursor>) -> Self {
        Self { accounts, next }
    }
}

/// The choice whether a bulk eviction sets a not-before time on each account, for [`SidIndex::evict_accounts`].
///
/// A not-before time is the time of a sign-out: the store refuses a sign-in whose user authenticated at that time or earlier. Without it, a
/// sign-in that began before the
/// eviction and arrives later would be accepted. Either each account or the accounts' issuer must therefore have one (G2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "on the accounts or on the issuer")]
pub enum NotBeforeScope {
    /// Sets a not-before time on each account. It is for accounts that the caller chose one by one.
    Account,
    /// Sets no not-before time on the accounts. It is for an eviction of all accounts of an issuer. The caller must have set the issuer's
    /// not-before time with [`SidIndex::set_issuer_not_before`] before. Otherwise a sign-in that began before the eviction is accepted
    /// after it.
    Issuer,
}

/// The part of a store that spans accounts: the index from a provider's `sid` to accounts, the not-before times of issuers, and a list of
/// all accounts. Every store implements it. [`backend::SidTable`](crate::backend::SidTable) has most of it for a store in memory.
#[async_trait]
pub trait SidIndex: Send + Sync {
    /// Adds the account of a sign-in to the index, under `sid`. The function [`protocol::sign_in`](fn@crate::protocol::sign_in) calls it
    /// for a sign-in with a `sid`. Other accounts that the index has under this `sid` stay.
    ///
    /// Sends one request. A store may send a few if other sign-ins add to the same `sid` at the same time, or if another session under it
    /// ends later.
    ///
    /// # Errors
    /// - [`SignedOut`](crate::ErrorKind::SignedOut) if a sign-out came between the authorization request of the sign-in and this call (G2).
    ///   The `sid` was signed out with `CutoffBound::Forever`, or its not-before time is equal to the sign-in's `requested_at` or later.
    ///   The same error is returned if the store's own clock has reached [`SidEntry::not_after`].
    /// - The store's own failures.
    ///
    /// # Behaviour
    /// - The index has the `sid` until the last session under it has ended. The expiry of the `sid` in the index never becomes earlier.
    /// - A request that is sent twice has the effect of one.
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()>;

    /// Sets the not-before time of a `sid`, and returns the accounts that signed in under the `sid`. From then on, [`add`](Self::add)
    /// refuses sign-ins under the `sid` that are not later than `bound`, and with [`CutoffBound::Forever`] all of them. The function
    /// [`protocol::sign_out_sid`](crate::protocol::sign_out_sid) calls it.
    ///
    /// Sends one request, or two if the `sid` already has a not-before time that is later or expires later. If the index does not have the
    /// `sid`, the not-before time is set nevertheless, and the list is empty. A repeated call returns the accounts again.
    ///
    /// # Errors
    /// The store's own failures.
    ///
    /// # Behaviour
    /// - The store keeps the not-before time for at least `not_before_lifetime` after it receives it, and at least as long as the index has
    ///   the `sid`.
    /// - A later not-before time is never replaced by an earlier one, and `CutoffBound::Forever` is never replaced.
    /// - The caller passes a `CutoffBound::Time` only on the store's clock. A store compares its time with the `requested_at` of sign-ins,
    ///   and need not check the clock.
    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts>;

    /// Checks that no sign-out of the whole issuer came after the authorization request of a sign-in. Returns `Ok` if the sign-in may
    /// continue, and otherwise an error. The function [`protocol::sign_in`](fn@crate::protocol::sign_in) calls it for each sign-in. Sends
    /// one request.
    ///
    /// `requested_at` is the time at which the sign-in's authorization request was sent. `not_after` is the deadline of this check. Both
    /// are on the store's clock.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the issuer's not-before time is equal to `requested_at` or later, or if the store's
    /// own clock has reached `not_after` (G2); the store's own failures.
    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()>;

    /// Sets the not-before time of an issuer to `at`, a time on the store's clock. From then on, [`check_issuer`](Self::check_issuer)
    /// refuses sign-ins whose authorization request was sent at `at` or earlier. The store keeps the not-before time for at least the
    /// lifetime in `options`. A sign-out of a whole issuer ([`TokenCache::sign_out_issuer`](crate::TokenCache::sign_out_issuer)) calls it.
    ///
    /// A later not-before time that the issuer already has stays. Sends one request, or two if the issuer already has a not-before time
    /// that is later or expires later.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()>;

    /// Returns a page of the accounts that have sessions in the store. `scan` selects the issuer and the page.
    /// [`TokenCache::accounts`](crate::TokenCache::accounts) and a sign-out of a whole issuer call it. Expired sessions that the store has
    /// not removed yet may count too. A store may visit far more data than it returns.
    ///
    /// A list from the first page to the last contains each account that has a session during the whole time.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if the cursor is invalid for this store; the store's own failures.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage>;

    /// Ends the sessions of many accounts whose [`requested_at`](crate::SessionTimes::requested_at) is `at` or earlier, on the store's
    /// clock. A [bulk sign-out](crate::BulkSignOut) calls it. Returns one result for each account, in the order of `accounts`.
    ///
    /// For each account, it does the same as [`TokenStore::evict`](crate::TokenStore::evict) with
    /// [`EvictTarget::Account`](crate::EvictTarget::Account), but publishes no invalidation message: the bulk sign-out publishes its
    /// messages itself ([`Backplane::publish`](crate::Backplane::publish)). `not_before` says whether each account gets a not-before time.
    /// Sends one request for hundreds of accounts, or many requests at once.
    ///
    /// # Errors
    /// An account whose eviction failed has an error as its result. The sessions of the other accounts end nevertheless.
    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>>;
}

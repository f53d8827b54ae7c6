use super::TokenCache;
use crate::{
    AccountId, AccountListOptions, AccountPage, Error, ErrorKind, ReadOptions, Result,
    SessionRecord,
};

impl TokenCache {
    /// Returns the living sessions of an account, in no particular order, for example to show users where they are signed in. The list is
    /// empty if the account has none. Sends one request.
    ///
    /// # Errors
    /// The errors of the store.
    pub async fn sessions(&self, account: &AccountId) -> Result<Vec<SessionRecord>> {
        let keys = self.fresh_keys().await?;
        let account = keys.id_key.account(account);
        self.store()
            .sessions(&account, ReadOptions::at(keys.latest))
            .await
    }

    /// Returns a page of the accounts that have anything stored, as their keyed hashes. This is for operators: a store may scan
    /// everything that it holds. To get the next page, pass [`AccountPage::next`] to `AccountListOptions::from`, until it is `None`.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) if the store has no `sid` index; the errors of the store.
    pub async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let sid_index = self.store().sid_index().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "list accounts").message(
                "this store has no index of `sid`s; use a store that has one, such as Redis",
            )
        })?;
        sid_index.accounts(scan).await
    }
}

use super::TokenCache;
use crate::{AccountId, AccountListOptions, AccountPage, ReadOptions, Result, SessionRecord};

impl TokenCache {
    /// Returns the living sessions of an account, in no particular order. The list is empty if the account has none. Sends one request.
    ///
    /// An app uses it, for example, to show a user where they are signed in.
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

    /// Returns one page of the accounts for which the store has data, as keyed hashes. This is for operators: a store may scan everything
    /// that it contains.
    ///
    /// `scan` selects the issuer and the page: the first page of the accounts of all issuers, by default. For the next page, pass
    /// [`AccountPage::next`] to `AccountListOptions::from`, and call this method again. The listing is complete when `next` is `None`.
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the cursor in `scan` is invalid for this store.
    /// - The errors of the store.
    pub async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        self.store().accounts(scan).await
    }
}

use token_cache_conformance::async_trait;
use token_cache_core::{AccountListOptions, AccountPage, Result, SidIndex};

use crate::fault::Fault;

/// Ends its list of accounts after the first page.
#[derive(Default)]
pub(crate) struct ListsOnePage;

#[async_trait]
impl Fault for ListsOnePage {
    async fn accounts(
        &self,
        healthy: &dyn SidIndex,
        scan: &AccountListOptions,
    ) -> Result<AccountPage> {
        let mut page = healthy.accounts(scan).await?;
        page.next = None;
        Ok(page)
    }
}

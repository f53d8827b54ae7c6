use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Escrow, EscrowName, Escrowed, ReadOptions, Result};

use crate::fault::Fault;

/// Keeps escrows apart from the sessions they are of.
#[derive(Default)]
pub(crate) struct KeepsEscrows {
    escrows: Mutex<HashMap<(AccountKey, EscrowName), Vec<Escrowed>>>,
}

#[async_trait]
impl Fault for KeepsEscrows {
    async fn keep(
        &self,
        healthy: &dyn Escrow,
        account: &AccountKey,
        name: &EscrowName,
        escrowed: Escrowed,
        options: ReadOptions,
    ) -> Result<()> {
        healthy
            .keep(account, name, escrowed.clone(), options)
            .await?;
        let mut escrows = self.escrows.lock().unwrap_or_else(PoisonError::into_inner);
        escrows
            .entry((*account, *name))
            .or_default()
            .insert(0, escrowed);
        Ok(())
    }

    async fn find(
        &self,
        _: &dyn Escrow,
        account: &AccountKey,
        name: &EscrowName,
        _: ReadOptions,
    ) -> Result<Vec<Escrowed>> {
        let escrows = self.escrows.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(escrows.get(&(*account, *name)).cloned().unwrap_or_default())
    }
}

use super::{Keys, Session, TokenCache};
use crate::{
    AccountId, AccountKey, Error, ErrorKind, EscrowName, Page, ReadOptions, Result, Scan,
    SessionRecord, seal::Ring, ticket::TicketPayload,
};

impl TokenCache {
    /// The living sessions of an account, in no order. One request.
    ///
    /// # Errors
    /// The store's own failures.
    pub async fn sessions(&self, account: &AccountId) -> Result<Vec<SessionRecord>> {
        let keys = self.fresh_keys().await?;
        let account = keys.id_key.account(account);
        self.store()
            .sessions(&account, ReadOptions::at(keys.latest))
            .await
    }

    /// A page of the accounts that have anything cached, by their keyed hashes. An operator's act: a store may visit
    /// everything it holds.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a store without a `sid` index; the store's own failures.
    pub async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let sid_index = self.store().sid_index().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "list accounts")
                .message("this store has no directory")
        })?;
        sid_index.accounts(scan).await
    }
}

pub(super) async fn open_escrow(
    cache: &TokenCache,
    account: &AccountId,
) -> Result<Option<Session>> {
    let keys = cache.fresh_keys().await?;
    let account = keys.id_key.account(account);
    let name = keys.id_key.escrow_by_account();
    let open = |sealed: &[u8]| TicketPayload::open(&cache.0.ring, TicketPayload::ESCROW, sealed);
    find_escrow(cache, &account, &name, &keys, open).await
}

/// The session of the newest escrow under a name, as `open` opens it.
pub(super) async fn find_escrow(
    cache: &TokenCache,
    account: &AccountKey,
    name: &EscrowName,
    keys: &Keys,
    open: impl Fn(&[u8]) -> Result<TicketPayload>,
) -> Result<Option<Session>> {
    let escrow = cache.store().escrow().ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "open an escrow").message("this store keeps no escrow")
    })?;
    let found = escrow
        .find(account, name, ReadOptions::at(keys.latest))
        .await?;
    let Some(newest) = found.first() else {
        return Ok(None);
    };
    let payload = open(&newest.sealed)?;
    if payload.account != *account || payload.ticket_secret.session_id() != newest.session_id {
        return Err(Error::new(ErrorKind::Corrupt, "open an escrow")
            .message("it was sealed for another account or session"));
    }
    match Session::new(cache.clone(), payload) {
        // It ended after the store answered.
        Err(error) if error.is_signed_out() => Ok(None),
        session => session.map(Some),
    }
}

pub(super) fn seal_escrow(ring: &Ring, payload: &TicketPayload) -> Result<Vec<u8>> {
    payload.seal(ring, TicketPayload::ESCROW)
}

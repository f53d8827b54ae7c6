use super::{Session, TokenCache, namespace::Keys};
use crate::{
    AccountId, AccountKey, BackgroundKey, Error, ErrorKind, ReadOptions, Result, crypto::Ring,
    crypto::ticket::TicketPayload,
};

impl TokenCache {
    /// Returns the account's newest living session that was begun with [`SignIn::background_access`](crate::SignIn::background_access).
    /// Returns `None` if the account has no such session. A job or a webhook, which has no ticket, calls it.
    ///
    /// The method only opens a session that an earlier [`sign_in`](Self::sign_in) began, and begins none. Sends one request, or two on
    /// DynamoDB.
    ///
    /// # Errors
    /// - [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server's key ring lacks the key that the session's ticket secret was
    ///   encrypted under.
    /// - [`Corrupt`](crate::ErrorKind::Corrupt) if the encrypted ticket secret in the store was changed, or belongs to another account or
    ///   session.
    /// - The errors of the store.
    pub async fn background_session(&self, account: &AccountId) -> Result<Option<Session>> {
        let keys = self.fresh_keys().await?;
        let account = keys.id_key.account(account);
        let name = keys.id_key.background_key_by_account();
        let open =
            |sealed: &[u8]| TicketPayload::open(&self.0.ring, TicketPayload::BACKGROUND, sealed);
        find_background_session(self, &account, &name, &keys, open).await
    }
}

/// Returns the session of the newest background session under `name`, or `None` if none lives. `open` decrypts its ticket
/// payload.
pub(super) async fn find_background_session(
    cache: &TokenCache,
    account: &AccountKey,
    name: &BackgroundKey,
    keys: &Keys,
    open: impl Fn(&[u8]) -> Result<TicketPayload>,
) -> Result<Option<Session>> {
    let found = cache
        .store()
        .find(account, name, ReadOptions::at(keys.latest))
        .await?;
    let Some(newest) = found.first() else {
        return Ok(None);
    };
    let payload = open(&newest.sealed)?;
    if payload.account != *account || payload.ticket_secret.session_id() != newest.session_id {
        return Err(Error::new(ErrorKind::Corrupt, "open a background session")
            .message("its ticket payload was sealed for another account or session"));
    }
    match Session::new(cache.clone(), payload) {
        // The session can end after the store has answered.
        Err(error) if error.is_signed_out() => Ok(None),
        session => session.map(Some),
    }
}

pub(super) fn seal_background_session(ring: &Ring, payload: &TicketPayload) -> Result<Vec<u8>> {
    payload.seal(ring, TicketPayload::BACKGROUND)
}

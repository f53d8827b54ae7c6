use zeroize::Zeroizing;

use crate::{
    AccountKey, Error, ErrorKind, IssuerKey, Result, TicketSecret, Timestamp,
    crypto::Ring,
    crypto::sealed_text::{invalid_text, sealed_text},
};

sealed_text! {
    /// A ticket: an encrypted text that opens a session on any app server. The app stores it in its own session cookie, and a job in its
    /// own database.
    ///
    /// [`Session::ticket`](crate::Session::ticket) issues it after a sign-in. [`TokenCache::resume`](crate::TokenCache::resume) returns the
    /// session of a ticket, or the error [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended. The ticket contains the keyed
    /// hashes of the account, the ticket secret and the end of the session, encrypted under the servers' key ring.
    ///
    /// Reading the session's tokens needs the ticket: access to the store or to a backup is not enough. Set the ticket in a new cookie at
    /// each sign-in. Give the cookie the attributes `HttpOnly`, `Secure` and `SameSite=Lax`, and a name with the prefix `__Host-`.
    ///
    /// The [text](Self::to_text) of a ticket has 146 characters. The length can change only with a new version of the format.
    Ticket, "ticket"
}

/// The decrypted content of a ticket.
#[derive(Debug, Clone)]
pub(crate) struct TicketPayload {
    pub(crate) generation: u64,
    pub(crate) account: AccountKey,
    pub(crate) ticket_secret: TicketSecret,
    pub(crate) ends_at: Timestamp,
}

impl Ticket {
    pub(crate) fn issue(ring: &Ring, payload: &TicketPayload) -> Result<Self> {
        payload.seal(ring, Self::PURPOSE).map(Self::from_sealed)
    }

    pub(crate) fn open(&self, ring: &Ring) -> Result<TicketPayload> {
        TicketPayload::open(ring, Self::PURPOSE, self.sealed())
            .map_err(|error| invalid_text(self.sealed(), error))
    }
}

impl TicketPayload {
    /// The purpose for which the payload of a background session is sealed.
    pub(crate) const BACKGROUND: &'static str = "escrow";

    /// The purpose for a payload that the assertion is needed to open.
    pub(crate) const BACKGROUND_BY_ASSERTION: &'static str = "escrow of an assertion";

    /// The number of bytes of the payload.
    pub(crate) const BYTES: usize = 8 + 16 + 16 + 16 + 8;

    pub(crate) fn seal(&self, ring: &Ring, purpose: &'static str) -> Result<Vec<u8>> {
        ring.seal(purpose, &self.plain())
    }

    /// Returns the bytes to be sealed.
    pub(crate) fn plain(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(Self::BYTES));
        plain.extend_from_slice(&self.generation.to_be_bytes());
        plain.extend_from_slice(self.account.issuer().as_bytes());
        plain.extend_from_slice(self.account.subject());
        plain.extend_from_slice(self.ticket_secret.expose());
        plain.extend_from_slice(&self.ends_at.as_millis().to_be_bytes());
        plain
    }

    pub(crate) fn open(ring: &Ring, purpose: &'static str, sealed: &[u8]) -> Result<Self> {
        Self::of_plain(purpose, &ring.open(purpose, sealed)?)
    }

    /// Reads the bytes of [`plain`](Self::plain).
    pub(crate) fn of_plain(purpose: &'static str, plain: &[u8]) -> Result<Self> {
        let mut rest = plain;
        Self::read(&mut rest)
            .filter(|_| rest.is_empty())
            .ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "open a sealed value").message(format!(
                    "the length of the {purpose} is not what this release writes"
                ))
            })
    }

    fn read(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            generation: u64::from_be_bytes(take(rest)?),
            account: AccountKey::new(IssuerKey::from_bytes(take(rest)?), take(rest)?),
            ticket_secret: TicketSecret::from_bytes(take(rest)?),
            ends_at: Timestamp::from_millis(u64::from_be_bytes(take(rest)?)),
        })
    }
}

/// Removes the first `N` bytes and returns them, or returns `None` if there are fewer.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

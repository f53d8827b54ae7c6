use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{EntrySealer, entry_sealer};
use crate::{
    Entry, EntryAddress, Secret,
    crypto::{Ring, ticket::TicketPayload},
};

/// An attacker for tests of a store. It has every byte of the store, and the [`Secret`] with the key that is derived from it, but no
/// ticket. A test of a store checks with it that a thief of the store's bytes can decrypt no entry (G5).
///
/// The attacker tries all bytes that it has as a ticket secret, as a background session with a ticket secret, and as the access token that
/// encrypts such a session.
pub struct OfflineAttacker {
    ring: Ring,
    /// The id of the ring's only key. In all sealed bytes it follows the first byte.
    key: [u8; 4],
    sealer: EntrySealer,
    loot: Vec<Vec<u8>>,
}

impl OfflineAttacker {
    /// Creates an attacker that has the namespace's `secret`, and no bytes of the store yet. Give it the bytes with [`take`](Self::take).
    pub fn new(secret: &Secret) -> Self {
        let key = entry_sealer::ring_key(secret);
        Self {
            key: key.id(),
            ring: Ring::of(key),
            sealer: EntrySealer::new(secret, [0; 16]),
            loot: Vec::new(),
        }
    }

    /// Gives the attacker more bytes of the store. If parts of them are text in hexadecimal, Base64 or Base64 for URLs, the attacker gets
    /// the decoded bytes too.
    pub fn take(&mut self, bytes: &[u8]) {
        let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
        for run in bytes.split(|byte| !is_text(byte)) {
            let hex = run.len() / 2 * 2;
            self.loot.extend(from_hex(&run[..hex]));
            self.loot.extend(BASE64_STANDARD.decode(run).ok());
            self.loot.extend(BASE64_URL_SAFE_NO_PAD.decode(run).ok());
        }
        self.loot.push(bytes.to_vec());
    }

    /// Returns the number of ticket secrets that the attacker tries: all runs of 16 bytes in the bytes that it has. A test checks that it
    /// is not zero, because an attacker without bytes proves nothing.
    pub fn candidates(&self) -> usize {
        self.ticket_secrets().count()
    }

    /// Returns the decrypted entry if the attacker can decrypt it with any of its bytes, or `None` if it cannot. `sealed` is the entry at
    /// the address `at`, as the store has it.
    pub fn opens(&self, at: &EntryAddress, sealed: &Entry) -> Option<Entry> {
        self.ticket_secrets()
            .chain(self.background_session())
            .find_map(|ticket_secret| {
                let session = self.sealer.of_session(ticket_secret);
                session.open(at, sealed.clone()).ok()
            })
    }

    fn ticket_secrets(&self) -> impl Iterator<Item = [u8; 16]> {
        let windows = self.loot.iter().flat_map(|bytes| bytes.windows(16));
        windows.filter_map(|window| window.try_into().ok())
    }

    /// Returns the ticket secrets of background sessions that open with the ring alone, or with anything that was taken as an assertion.
    fn background_session(&self) -> impl Iterator<Item = [u8; 16]> {
        let windows = self
            .loot
            .iter()
            .flat_map(|bytes| bytes.windows(TicketPayload::BYTES + EntrySealer::OVERHEAD));
        let sealed = windows.filter(|window| window.get(1..=4) == Some(&self.key));
        let claims = sealed.flat_map(move |sealed| {
            let by_assertion = self.loot.iter().map(move |assertion| {
                let purpose = TicketPayload::BACKGROUND_BY_ASSERTION;
                let plain = self.ring.open_with(purpose, assertion, sealed)?;
                TicketPayload::of_plain(purpose, &plain)
            });
            [
                TicketPayload::BACKGROUND,
                TicketPayload::BACKGROUND_BY_ASSERTION,
            ]
            .map(|purpose| TicketPayload::open(&self.ring, purpose, sealed))
            .into_iter()
            .chain(by_assertion)
        });
        claims.filter_map(|payload| Some(*payload.ok()?.ticket_secret.expose()))
    }
}

impl fmt::Debug for OfflineAttacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineAttacker").finish_non_exhaustive()
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.chunks(2).map(pair).collect()
}

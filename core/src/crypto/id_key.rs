use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    AccountId, AccountKey, BackgroundKey, EntryKey, EntryName, IssuerKey, ProviderSid, SidKey,
};

/// The key that turns the names of users, sessions and entries into their names in the store: 128 bits of HMAC-SHA-256 (RFC 2104) each.
#[derive(Clone)]
pub(crate) struct IdKey(Hmac<Sha256>);

impl IdKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(key).expect("an HMAC key"))
    }

    pub(crate) fn issuer(&self, issuer: &str) -> IssuerKey {
        IssuerKey::from_bytes(self.hash(b'i', issuer, ""))
    }

    pub(crate) fn account(&self, account: &AccountId) -> AccountKey {
        AccountKey::new(
            self.issuer(account.issuer()),
            self.hash(b'a', account.issuer(), account.subject()),
        )
    }

    pub(crate) fn sid(&self, session: &ProviderSid) -> SidKey {
        SidKey::from_bytes(self.hash(b's', session.issuer(), session.sid()))
    }

    pub(crate) fn entry(&self, key: &EntryKey) -> EntryName {
        EntryName::from_bytes(self.hash(b'e', key.as_str(), ""))
    }

    pub(crate) fn background_key_by_account(&self) -> BackgroundKey {
        BackgroundKey::from_bytes(self.hash(b'x', "account", ""))
    }

    pub(crate) fn background_key_by_assertion(&self, assertion: &[u8]) -> BackgroundKey {
        BackgroundKey::from_bytes(self.hash_bytes(b'o', assertion, &[]))
    }

    fn hash(&self, domain: u8, first: &str, second: &str) -> [u8; 16] {
        self.hash_bytes(domain, first.as_bytes(), second.as_bytes())
    }

    /// The length of the first part comes first, so that no two pairs of parts hash the same bytes.
    fn hash_bytes(&self, domain: u8, first: &[u8], second: &[u8]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(&[domain]);
        mac.update(&(first.len() as u64).to_be_bytes());
        mac.update(first);
        mac.update(second);
        let full = mac.finalize().into_bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        half
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey([redacted])")
    }
}

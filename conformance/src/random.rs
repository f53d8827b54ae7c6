use token_cache_core::{
    AccountKey, BackgroundKey, EntryName, IssuerKey, SessionId, SidKey, TicketSecret,
};

use crate::{Violation, assertions::Assertions};

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Violation> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Violation::new("random bytes of the operating system", error.to_string())
    })?;
    Ok(bytes)
}

pub(crate) fn account() -> Result<AccountKey, Violation> {
    account_of(&issuer()?)
}

pub(crate) fn account_of(issuer: &IssuerKey) -> Result<AccountKey, Violation> {
    Ok(AccountKey::new(*issuer, bytes()?))
}

pub(crate) fn issuer() -> Result<IssuerKey, Violation> {
    bytes().map(IssuerKey::from_bytes)
}

pub(crate) fn sid() -> Result<SidKey, Violation> {
    bytes().map(SidKey::from_bytes)
}

pub(crate) fn session_id() -> Result<SessionId, Violation> {
    Ok(TicketSecret::mint()
        .should_work("minting a ticket secret")?
        .session_id())
}

pub(crate) fn entry() -> Result<EntryName, Violation> {
    bytes().map(EntryName::from_bytes)
}

pub(crate) fn background_key() -> Result<BackgroundKey, Violation> {
    bytes().map(BackgroundKey::from_bytes)
}

/// Random numbers that need not be hard to guess.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Result<Self, Violation> {
        bytes().map(u64::from_be_bytes).map(Self)
    }

    /// A number below `limit`, which is small.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % limit
    }

    pub(crate) fn number(&mut self, limit: u32) -> u32 {
        u32::try_from(self.below(usize::try_from(limit).unwrap_or(1))).unwrap_or(0)
    }
}

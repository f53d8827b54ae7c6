use token_cache_core::{AccountKey, EntryName, Epoch, EpochHash, EscrowName, IssuerKey, SidKey};

use crate::{Violation, should::Should};

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

pub(crate) fn epoch() -> Result<EpochHash, Violation> {
    Ok(Epoch::mint().should_work("minting an epoch")?.hash())
}

pub(crate) fn entry() -> Result<EntryName, Violation> {
    bytes().map(EntryName::from_bytes)
}

pub(crate) fn escrow() -> Result<EscrowName, Violation> {
    bytes().map(EscrowName::from_bytes)
}

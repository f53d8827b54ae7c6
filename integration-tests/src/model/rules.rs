//! Steps that are the same on both stores.

use std::time::Duration;

use token_cache_core::{
    AccountCursor, AccountKey, AccountListOptions, AccountPage, BackgroundSession, CutoffBound,
    Entry, Error, ErrorKind, IssuerKey, NotBeforeOptions, PutMode, Result, SessionId,
    SessionRecord, SidAccounts, SidEntry, SidKey, Timestamp, Version,
};

use super::{
    mutants::{Bent, Mutant},
    network::{Kind, World},
    redis_like::Refused,
    state::{NotBefore, State, cursor_of},
};

/// The error of operations that the model leaves out.
pub(super) fn unsupported() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "use an operation that the model leaves out",
    )
}

/// Returns an entry of this version.
pub(super) fn entry(version: [u8; 8]) -> Entry {
    Entry::new([0], Version::from_bytes(version), Timestamp::MAX)
}

/// Returns a background session of this session.
pub(super) fn background_session(session_id: SessionId) -> BackgroundSession {
    BackgroundSession::new(session_id, Vec::new())
}

/// Puts an entry if `over` allows it.
pub(super) fn put(
    state: &mut State,
    bent: Bent,
    account: AccountKey,
    session_id: SessionId,
    version: [u8; 8],
    mode: PutMode,
) -> bool {
    let there = state.entries.get(&(account, session_id)).copied();
    let creation = (account, session_id, version);
    let allowed = match mode {
        PutMode::Overwrite => true,
        PutMode::Create if there.is_none() => !state.creations.contains(&creation),
        PutMode::Create => there == Some(version),
        PutMode::Update(mode) => there == Some(*mode.as_bytes()) || there == Some(version),
    };
    if allowed {
        state.entries.insert((account, session_id), version);
        if mode == PutMode::Create && !bent.is(Mutant::CreationsForgotten) {
            state.creations.insert(creation);
        }
    }
    allowed
}

/// Removes an entry. The record of its creation stays.
pub(super) fn remove(state: &mut State, bent: Bent, account: AccountKey, session_id: SessionId) {
    state.entries.remove(&(account, session_id));
    if bent.is(Mutant::CreationsRemoved) {
        state
            .creations
            .retain(|(of, session, _)| (of, session) != (&account, &session_id));
    }
}

/// Returns the record of a live session.
pub(super) async fn session(
    world: &World,
    account: AccountKey,
    session_id: SessionId,
) -> Result<SessionRecord> {
    let read = world.request(Kind::Read, "read the session", move |state, now| {
        let record = state.account_records.get(&account)?;
        let stored = record.sessions.get(&session_id)?;
        (now < stored.ends_at).then_some((stored.sid, stored.times, stored.ends_at))
    });
    let (sid_key, times, ends_at) = read
        .await?
        .ok_or_else(|| Error::signed_out("read a session"))?;
    Ok(SessionRecord::new(session_id, sid_key, times, ends_at))
}

/// Adds an entry to the `sid` index. A server with a clock (`timely`) refuses a late request; otherwise the answer's date shows that it
/// was late.
pub(super) async fn add(
    world: &World,
    bent: Bent,
    sid: SidKey,
    sid_entry: SidEntry,
    timely: bool,
) -> Result<std::result::Result<bool, Refused>> {
    let point = world.request(Kind::Write, "add to the sid index", move |state, now| {
        let sid_record = state.sids.entry(sid).or_default();
        let late = now >= sid_entry.not_after && !bent.forgets_not_after();
        if late && timely || sid_record.refuses(sid_entry.requested_at, now) {
            return Err(Refused);
        }
        if bent.is(Mutant::OneAccountPerSid) {
            sid_record.accounts.clear();
        }
        let ends_at = sid_record.accounts.entry(sid_entry.account).or_default();
        *ends_at = if bent.is(Mutant::SidEntryExpiryFalls) {
            sid_entry.ends_at
        } else {
            sid_entry.ends_at.max(*ends_at)
        };
        Ok(late)
    });
    point.await
}

/// Sets a `sid`'s not-before time and returns its accounts.
pub(super) async fn set_sid_not_before(
    world: &World,
    bent: Bent,
    sid: SidKey,
    bound: CutoffBound,
    options: NotBeforeOptions,
) -> Result<SidAccounts> {
    let life = bent.life(options.not_before_lifetime);
    let write = world.request(
        Kind::Write,
        "set the not-before time of the sid",
        move |state, now| {
            let sid_record = state.sids.entry(sid).or_default();
            let not_before_set = sid_record.not_before.is_some() || sid_record.forever.is_some();
            let accounts = if bent.is(Mutant::SidWithoutNotBefore) {
                sid_record.clone().raise(bound, now, life)
            } else {
                sid_record.raise(bound, now, life)
            };
            if not_before_set && bent.is(Mutant::TombstoneForAnswer) {
                return Vec::new();
            }
            accounts
        },
    );
    Ok(SidAccounts::at(write.await?))
}

/// Sets the issuer's not-before time.
pub(super) async fn set_issuer_not_before(
    world: &World,
    bent: Bent,
    issuer: IssuerKey,
    at: Timestamp,
    life: Duration,
) -> Result<()> {
    let life = bent.life(life);
    let write = world.request(
        Kind::Write,
        "set the not-before time of the issuer",
        move |state, now| {
            let mut not_before = state.issuers.get(&issuer).copied();
            if !bent.is(Mutant::IssuerWithoutNotBefore) {
                NotBefore::raise(&mut not_before, at, now + life);
            }
            state
                .issuers
                .extend(not_before.map(|not_before| (issuer, not_before)));
        },
    );
    write.await
}

/// Refuses a sign-in if its issuer was signed out after the sign-in was requested.
pub(super) async fn check_issuer(
    world: &World,
    bent: Bent,
    issuer: IssuerKey,
    requested_at: Timestamp,
    not_after: Timestamp,
) -> Result<()> {
    let check = world.request(
        Kind::Read,
        "check the issuer's not-before time",
        move |state, now| {
            let late = now >= not_after && !bent.forgets_not_after();
            late || NotBefore::refuses(state.issuers.get(&issuer).copied(), requested_at, now)
        },
    );
    if check.await? {
        return Err(Refused.into());
    }
    Ok(())
}

/// Returns a page of one account.
pub(super) async fn accounts(world: &World, scan: &AccountListOptions) -> Result<AccountPage> {
    let cursor = scan
        .cursor
        .as_ref()
        .map(|cursor| cursor.as_str().to_owned());
    let page = world.request(Kind::Read, "list a page of accounts", move |state, _| {
        state.page(cursor.as_deref())
    });
    let (account, more) = page.await?;
    let next = account
        .filter(|_| more)
        .map(|account| AccountCursor::new(cursor_of(&account)));
    Ok(AccountPage::new(account.into_iter().collect(), next))
}

/// Implements the refresh locks of a store of the model, in which nothing is refreshed.
macro_rules! without_refreshes {
    ($store:ty) => {
        #[async_trait]
        impl token_cache_core::RefreshLocks for $store {
            async fn acquire(
                &self,
                _: &EntryAddress,
                _: token_cache_core::AcquireOptions,
            ) -> Result<token_cache_core::Acquired> {
                Err(rules::unsupported())
            }

            async fn release(
                &self,
                _: &EntryAddress,
                _: &token_cache_core::LockOwner,
            ) -> Result<()> {
                Err(rules::unsupported())
            }

            async fn end_if_version(
                &self,
                _: &EntryAddress,
                _: token_cache_core::Version,
                _: EvictOptions,
            ) -> Result<bool> {
                Err(rules::unsupported())
            }
        }
    };
}
pub(super) use without_refreshes;

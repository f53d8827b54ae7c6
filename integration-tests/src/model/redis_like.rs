//! A store in which every call is one atomic step on the key of an account, a `sid` or an issuer, as with scripts on Redis.

use std::fmt;

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, Backplane, BeginSession,
    Begun, Capabilities, Diagnostic, Entry, EntryAddress, Error, ErrorKind, EvictOptions,
    EvictTarget, Evicted, Namespace, NamespaceRecord, PutResult, ReadOptions, Result, SessionId,
    SessionRecord, TimeSource, TokenStore, WriteOptions,
};

use super::{
    mutants::{Bent, Mutant},
    network::{Kind, World},
    rules,
};

/// One actor's connection to the server.
#[derive(Debug, Clone)]
pub(super) struct RedisLike {
    /// The network.
    pub(super) world: World,
    /// The mutant, if any.
    pub(super) bent: Bent,
}

#[async_trait]
impl TokenStore for RedisLike {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(1)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn namespace(&self) -> Result<Namespace> {
        Err(rules::unsupported())
    }

    async fn set_namespace(
        &self,
        _: Option<&NamespaceRecord>,
        _: &NamespaceRecord,
    ) -> Result<bool> {
        Err(rules::unsupported())
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let (account, bent) = (*account, self.bent);
        let kind = if bent.is(Mutant::BeginDeliveredTwice) {
            Kind::Write
        } else {
            Kind::WriteOnce
        };
        let begun = self
            .world
            .request(kind, "begin a session", move |state, now| {
                let record = state.account_records.entry(account).or_default();
                let late = now >= session.not_after && !bent.sends_unchecked();
                if late || record.refuses(&session, now) {
                    return Err(Refused);
                }
                record.begin(&session);
                let superseded = session.supersedes.clone();
                state.forget(&account, &superseded);
                Ok(())
            });
        begun
            .await?
            .map(|()| Begun::displacing(0))
            .map_err(Error::from)
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        _: ReadOptions,
    ) -> Result<SessionRecord> {
        rules::session(&self.world, *account, *session_id).await
    }

    async fn read(&self, at: &EntryAddress, _: ReadOptions) -> Result<Option<Entry>> {
        let (account, session_id) = (*at.account(), *at.session_id());
        let read = self
            .world
            .request(Kind::Read, "read session and entry", move |state, now| {
                let lives = state.lives(&account, &session_id, now);
                lives.then(|| state.entries.get(&(account, session_id)).copied())
            });
        match read.await? {
            None => Err(Error::signed_out("read an entry")),
            Some(entry) => Ok(entry.map(rules::entry)),
        }
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let (account, session_id, bent) = (*at.account(), *at.session_id(), self.bent);
        let version = *entry.version().as_bytes();
        let write = self
            .world
            .request(Kind::Write, "write an entry", move |state, now| {
                if !state.lives(&account, &session_id, now) && !bent.is(Mutant::WriteUnchecked) {
                    return Err(Refused);
                }
                Ok(rules::put(
                    state,
                    bent,
                    account,
                    session_id,
                    version,
                    options.mode,
                ))
            });
        if write.await?? {
            Ok(PutResult::Stored)
        } else {
            Ok(PutResult::PreconditionFailed)
        }
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        let (account, session_id, bent) = (*at.account(), *at.session_id(), self.bent);
        let remove = self
            .world
            .request(Kind::Write, "remove an entry", move |state, _| {
                rules::remove(state, bent, account, session_id);
            });
        remove.await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.evict_target(*account, target, options, true).await
    }

    async fn sessions(&self, _: &AccountKey, _: ReadOptions) -> Result<Vec<SessionRecord>> {
        Err(rules::unsupported())
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
}

impl RedisLike {
    pub(super) async fn evict_target(
        &self,
        account: AccountKey,
        target: EvictTarget,
        options: EvictOptions,
        sets_not_before: bool,
    ) -> Result<Evicted> {
        let bent = self.bent;
        if bent.is(Mutant::NoTakeBack) && matches!(target, EvictTarget::Session(_)) {
            return Ok(Evicted::new(false));
        }
        let evict = self
            .world
            .request(Kind::Write, "evict the account", move |state, now| {
                let record = state.account_records.entry(account).or_default();
                let ended = if bent.is(Mutant::DuplicateEndsNewer)
                    && matches!(target, EvictTarget::Account(_))
                {
                    std::mem::take(&mut record.sessions).into_keys().collect()
                } else {
                    record.end(&target)
                };
                if sets_not_before {
                    bent.set_not_before(
                        record,
                        &target,
                        now + bent.life(options.not_before_lifetime),
                    );
                }
                state.forget(&account, &ended);
                !ended.is_empty() || bent.is(Mutant::EndedAlways)
            });
        Ok(Evicted::new(evict.await?))
    }
}

rules::without_refreshes!(RedisLike);

#[async_trait]
impl BackgroundSessions for RedisLike {
    async fn keep(
        &self,
        account: &AccountKey,
        _: &BackgroundKey,
        background_session: BackgroundSession,
        _: ReadOptions,
    ) -> Result<()> {
        let (account, session_id, bent) = (*account, background_session.session_id, self.bent);
        let keep = self.world.request(
            Kind::Write,
            "store the background session",
            move |state, now| {
                if !state.lives(&account, &session_id, now)
                    && !bent.is(Mutant::BackgroundSessionOutlives)
                {
                    return Err(Refused);
                }
                state.background_sessions.insert((account, session_id));
                Ok(())
            },
        );
        keep.await?.map_err(Error::from)
    }

    async fn find(
        &self,
        account: &AccountKey,
        _: &BackgroundKey,
        _: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let (account, bent) = (*account, self.bent);
        let find = self
            .world
            .request(Kind::Read, "find background sessions", move |state, now| {
                let kept = state
                    .background_sessions
                    .iter()
                    .filter(|(of, _)| *of == account);
                kept.map(|(_, session_id)| *session_id)
                    .filter(|session_id| {
                        state.lives(&account, session_id, now)
                            || bent.is(Mutant::BackgroundSessionOutlives)
                    })
                    .collect::<Vec<_>>()
            });
        Ok(find
            .await?
            .into_iter()
            .map(rules::background_session)
            .collect())
    }
}

impl fmt::Display for RedisLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redis-like")
    }
}

/// A refusal, as an answer.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Refused;

impl From<Refused> for Error {
    fn from(Refused: Refused) -> Self {
        Self::new(ErrorKind::SignedOut, "take a step").store("model")
    }
}

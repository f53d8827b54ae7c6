//! A store in which every step touches one item and the server compares no clock, as with requests to DynamoDB.
//!
//! A late step is recognised by the date of its answer, after it was taken, and refused then.

use std::fmt;

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, Backplane, BeginSession,
    Begun, Capabilities, Diagnostic, Entry, EntryAddress, Error, EvictOptions, EvictTarget,
    Evicted, Namespace, NamespaceRecord, PutResult, ReadOptions, Result, SessionId, SessionRecord,
    TimeSource, Timestamp, TokenStore, WriteOptions,
};

use super::{
    dynamodb_account_item::ReplaceOutcome,
    mutants::{Bent, Mutant},
    network::{Kind, World},
    redis_like::Refused,
    rules,
};

/// One actor's connection to the server.
#[derive(Debug, Clone)]
pub(super) struct DynamoDbLike {
    /// The network.
    pub(super) world: World,
    /// The mutant, if any.
    pub(super) bent: Bent,
    /// `true` if a batch reads the head first, `false` if it reads the entry first.
    pub(super) head_first: bool,
}

#[async_trait]
impl TokenStore for DynamoDbLike {
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
        let account = *account;
        if self.bent.is(Mutant::BeginUnconditional) {
            return self.begin_unconditionally(account, session).await;
        }
        loop {
            let (asked, bent) = (session.clone(), self.bent);
            let read =
                self.world
                    .request(Kind::Read, "read the account item", move |state, now| {
                        let record = state.account_records.get(&account).cloned();
                        let late = now >= asked.not_after && !bent.sends_unchecked();
                        let refused = record
                            .as_ref()
                            .is_some_and(|record| record.refuses(&asked, now));
                        (!late && !refused).then_some(record)
                    });
            let seen = read.await?.ok_or(Refused)?;
            let mut new = seen.clone().unwrap_or_default();
            new.begin(&session);
            let not_after = if self.bent.forgets_not_after() {
                Timestamp::MAX
            } else {
                session.not_after
            };
            match self
                .replace(account, seen, new, session.now, not_after)
                .await?
            {
                ReplaceOutcome::InTime => return Ok(Begun::displacing(0)),
                ReplaceOutcome::Conflict => {}
                ReplaceOutcome::Late => {
                    let taken_back = EvictTarget::Session(session.record.session_id);
                    let options = EvictOptions::at(session.now);
                    // The caller gets the refusal even if taking the session back fails: no ticket has this secret.
                    let _ = self.evict_target(account, taken_back, options, false).await;
                    return Err(Refused.into());
                }
            }
        }
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
        let mut lives = true;
        if self.head_first {
            lives = self.lives(account, session_id).await?;
        }
        let read = self
            .world
            .request(Kind::Read, "read the entry", move |state, _| {
                state.entries.get(&(account, session_id)).copied()
            });
        let entry = read.await?;
        if !self.head_first {
            lives = self.lives(account, session_id).await?;
        }
        if !lives {
            return Err(Error::signed_out("read an entry"));
        }
        Ok(entry.map(rules::entry))
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let (account, session_id, bent) = (*at.account(), *at.session_id(), self.bent);
        let version = *entry.version().as_bytes();
        let put = self
            .world
            .request(Kind::Write, "put the entry", move |state, _| {
                rules::put(state, bent, account, session_id, version, options.mode)
            });
        if !put.await? {
            return Ok(PutResult::PreconditionFailed);
        }
        if self.bent.is(Mutant::PutWithoutAccountRead) || self.lives(account, session_id).await? {
            return Ok(PutResult::Stored);
        }
        self.remove(at).await?;
        Err(Refused.into())
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        let (account, session_id, bent) = (*at.account(), *at.session_id(), self.bent);
        let remove = self
            .world
            .request(Kind::Write, "delete the entry", move |state, _| {
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
        if self.bent.is(Mutant::NoTakeBack) && matches!(target, EvictTarget::Session(_)) {
            return Ok(Evicted::new(false));
        }
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

rules::without_refreshes!(DynamoDbLike);

#[async_trait]
impl BackgroundSessions for DynamoDbLike {
    async fn keep(
        &self,
        account: &AccountKey,
        _: &BackgroundKey,
        background_session: BackgroundSession,
        _: ReadOptions,
    ) -> Result<()> {
        let (account, session_id) = (*account, background_session.session_id);
        let put = self.world.request(
            Kind::Write,
            "put the background session",
            move |state, _| {
                state.background_sessions.insert((account, session_id));
            },
        );
        put.await?;
        if self.lives(account, session_id).await? {
            return Ok(());
        }
        let remove = self.world.request(
            Kind::Write,
            "delete the background session",
            move |state, _| {
                state.background_sessions.remove(&(account, session_id));
            },
        );
        remove.await?;
        Err(Refused.into())
    }

    async fn find(
        &self,
        account: &AccountKey,
        _: &BackgroundKey,
        _: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        let account = *account;
        let query = self.world.request(
            Kind::Read,
            "query the background sessions",
            move |state, _| {
                let kept = state
                    .background_sessions
                    .iter()
                    .filter(|(of, _)| *of == account);
                kept.map(|(_, session_id)| *session_id).collect::<Vec<_>>()
            },
        );
        let kept = query.await?;
        let check = self
            .world
            .request(Kind::Read, "read the account item", move |state, now| {
                let living = kept
                    .iter()
                    .filter(|session_id| state.lives(&account, session_id, now));
                living.copied().collect::<Vec<_>>()
            });
        Ok(check
            .await?
            .into_iter()
            .map(rules::background_session)
            .collect())
    }
}

impl fmt::Display for DynamoDbLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dynamodb-like")
    }
}

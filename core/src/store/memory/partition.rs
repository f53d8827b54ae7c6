use std::collections::{HashMap, VecDeque};

use crate::{
    AcquireOptions, Acquired, BackgroundKey, BackgroundSession, BeginSession, Begun, Entry,
    EntryAddress, EntryName, Error, EvictOptions, EvictTarget, Evicted, LockOwner, PutMode,
    PutResult, REMEMBERED_CREATIONS, Result, SessionId, SessionKind, SessionRecord, Timestamp,
    Version, WriteOptions,
    backend::{LockTable, NotBeforeTimes},
};

/// The weight of a session without its entries.
pub(super) const SESSION_WEIGHT: usize = 200;

const ENTRY_OVERHEAD: usize = 100;

pub(super) fn entry_weight(entry: &Entry) -> usize {
    entry.stored().len() + ENTRY_OVERHEAD
}

/// All data of one account. Its methods are the atomic steps of the store's contract.
#[derive(Default)]
pub(super) struct Partition {
    sessions: HashMap<SessionId, Session>,
    not_before_times: NotBeforeTimes,
    background_sessions: HashMap<BackgroundKey, Vec<BackgroundSession>>,
    locks: LockTable,
}

struct Session {
    record: SessionRecord,
    entries: HashMap<EntryName, Entry>,
    /// The versions of the last creating writes of each entry, oldest first. They are stored for removed entries too.
    creations: HashMap<EntryName, VecDeque<Version>>,
    weight: usize,
}

impl Session {
    fn has_created(&self, name: &EntryName, version: Version) -> bool {
        let created = self.creations.get(name);
        created.is_some_and(|created| created.contains(&version))
    }

    fn remember_creation(&mut self, name: EntryName, version: Version) {
        if self.has_created(&name, version) {
            return;
        }
        if !self.creations.contains_key(&name) {
            self.weight += ENTRY_OVERHEAD;
        }
        let created = self.creations.entry(name).or_default();
        created.push_back(version);
        if created.len() > REMEMBERED_CREATIONS {
            created.pop_front();
        } else {
            self.weight += size_of::<Version>();
        }
    }
}

impl Partition {
    pub(super) fn begin(&mut self, begin: BeginSession, now: Timestamp) -> Result<Begun> {
        if now >= begin.not_after || self.not_before_times.refuse(&begin.record, now) {
            return Err(signed_out("begin a session"));
        }
        for session_id in &begin.supersedes {
            self.end(session_id);
        }
        self.prune(begin.now);
        let mut alike = self.sessions_of(begin.record.kind);
        alike.sort_unstable_by_key(|record| (record.times.requested_at, record.session_id));
        let too_many = (alike.len() + 1).saturating_sub(begin.max_sessions.max(1));
        let first: Vec<SessionId> = alike[..too_many.min(alike.len())]
            .iter()
            .map(|record| record.session_id)
            .collect();
        for session_id in &first {
            self.end(session_id);
        }
        let session = Session {
            record: begin.record,
            entries: HashMap::new(),
            creations: HashMap::new(),
            weight: SESSION_WEIGHT,
        };
        self.sessions.insert(session.record.session_id, session);
        Ok(Begun::displacing(first.len()))
    }

    pub(super) fn session(&self, session_id: &SessionId, now: Timestamp) -> Result<&SessionRecord> {
        match self.sessions.get(session_id) {
            Some(session) if !session.record.is_over(now) => Ok(&session.record),
            _ => Err(signed_out("read a session")),
        }
    }

    pub(super) fn read(&self, at: &EntryAddress, now: Timestamp) -> Result<Option<Entry>> {
        self.session(at.session_id(), now)?;
        let entry = self
            .sessions
            .get(at.session_id())
            .and_then(|held| held.entries.get(at.name()));
        Ok(entry.filter(|entry| !entry.is_expired(now)).cloned())
    }

    pub(super) fn write(
        &mut self,
        at: &EntryAddress,
        entry: Entry,
        options: &WriteOptions,
    ) -> Result<PutResult> {
        if let Some(owner) = &options.releasing {
            self.release(at, owner);
        }
        self.session(at.session_id(), options.now)?;
        let there = self.read(at, options.now)?.map(|entry| entry.version());
        let own = entry.version();
        if let Some(session) = self.sessions.get_mut(at.session_id()) {
            let allowed = match options.mode {
                PutMode::Overwrite => true,
                PutMode::Create if there.is_none() => !session.has_created(at.name(), own),
                PutMode::Create => there == Some(own),
                PutMode::Update(version) => there == Some(version) || there == Some(own),
            };
            if !allowed {
                return Ok(PutResult::PreconditionFailed);
            }
            if options.mode == PutMode::Create {
                session.remember_creation(*at.name(), own);
            }
            session.weight += entry_weight(&entry);
            if let Some(replaced) = session.entries.insert(*at.name(), entry) {
                session.weight -= entry_weight(&replaced);
            }
        }
        Ok(PutResult::Stored)
    }

    pub(super) fn remove(&mut self, at: &EntryAddress) {
        if let Some(session) = self.sessions.get_mut(at.session_id())
            && let Some(removed) = session.entries.remove(at.name())
        {
            session.weight -= entry_weight(&removed);
        }
    }

    pub(super) fn evict(
        &mut self,
        target: EvictTarget,
        options: EvictOptions,
        now: Timestamp,
    ) -> Evicted {
        self.prune(options.now);
        let ended: Vec<SessionId> = self
            .sessions
            .values()
            .map(|session| &session.record)
            .filter(|record| {
                let times = record.times.credible_at(now);
                target.ends(&record.session_id, record.sid.as_ref(), &times)
            })
            .map(|record| record.session_id)
            .collect();
        for session_id in &ended {
            self.end(session_id);
        }
        self.not_before_times
            .raise(&target, now + options.not_before_lifetime);
        Evicted::new(!ended.is_empty())
    }

    pub(super) fn sessions(&self, now: Timestamp) -> Vec<SessionRecord> {
        self.sessions
            .values()
            .map(|session| &session.record)
            .filter(|record| !record.is_over(now))
            .cloned()
            .collect()
    }

    pub(super) fn acquire(
        &mut self,
        at: &EntryAddress,
        options: AcquireOptions,
        now: Timestamp,
    ) -> Result<Acquired> {
        let entry = self.read(at, options.now)?;
        Ok(self.locks.acquire(at, &options, entry, now))
    }

    pub(super) fn release(&mut self, at: &EntryAddress, owner: &LockOwner) {
        self.locks.release(at, owner);
    }

    pub(super) fn end_if_version(
        &mut self,
        at: &EntryAddress,
        version: Version,
        now: Timestamp,
    ) -> Result<bool> {
        let entry = self.read(at, now)?;
        let is_there = entry.is_some_and(|entry| entry.version() == version);
        if is_there {
            self.end(at.session_id());
        }
        Ok(is_there)
    }

    pub(super) fn keep(
        &mut self,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        now: Timestamp,
    ) -> Result<()> {
        self.session(&background_session.session_id, now)?;
        let kept = self.background_sessions.entry(*name).or_default();
        kept.retain(|other| other.session_id != background_session.session_id);
        kept.insert(0, background_session);
        Ok(())
    }

    pub(super) fn find(&self, name: &BackgroundKey, now: Timestamp) -> Vec<BackgroundSession> {
        let kept = self
            .background_sessions
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        kept.iter()
            .filter(|kept| self.session(&kept.session_id, now).is_ok())
            .cloned()
            .collect()
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        let over: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.record.is_over(now))
            .map(|session| session.record.session_id)
            .collect();
        for session_id in &over {
            self.end(session_id);
        }
        for session in self.sessions.values_mut() {
            session.entries.retain(|_, entry| {
                let keep = !entry.is_expired(now);
                if !keep {
                    session.weight -= entry_weight(entry);
                }
                keep
            });
        }
    }

    pub(super) fn has_sessions(&self) -> bool {
        !self.sessions.is_empty()
    }

    pub(super) fn is_empty(&self, now: Timestamp) -> bool {
        self.sessions.is_empty() && !self.not_before_times.any_stands(now)
    }

    pub(super) fn weight(&self) -> usize {
        self.sessions.values().map(|session| session.weight).sum()
    }

    fn end(&mut self, session_id: &SessionId) {
        self.sessions.remove(session_id);
        self.locks.forget(session_id);
        for kept in self.background_sessions.values_mut() {
            kept.retain(|background_session| background_session.session_id != *session_id);
        }
        self.background_sessions.retain(|_, kept| !kept.is_empty());
    }

    fn sessions_of(&self, kind: SessionKind) -> Vec<&SessionRecord> {
        let records = self.sessions.values().map(|session| &session.record);
        records.filter(|record| record.kind == kind).collect()
    }
}

fn signed_out(operation: &'static str) -> Error {
    Error::signed_out(operation).store("memory")
}

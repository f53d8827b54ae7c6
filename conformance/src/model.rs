//! A second, simple implementation of a store's contract for one account, to compare answers with.

use std::collections::BTreeMap;

use token_cache_core::{
    Acquired, BackgroundKey, BackgroundSession, BeginSession, CutoffClock, Entry, EntryName,
    EvictTarget, LockOwner, PutMode, PutResult, SessionId, SessionRecord, Timestamp, Version,
};

/// A session has ended, is over, or never began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignedOut;

type Answer<T> = Result<T, SignedOut>;

/// One account. Its not-before times and locks live for as long as a check.
#[derive(Debug, Default)]
pub(crate) struct Model {
    sessions: BTreeMap<SessionId, Session>,
    not_before: BTreeMap<(CutoffClock, bool), Timestamp>,
    background_sessions: BTreeMap<BackgroundKey, Vec<BackgroundSession>>,
}

#[derive(Debug)]
struct Session {
    record: SessionRecord,
    entries: BTreeMap<EntryName, Entry>,
    /// The request that created an entry. A later copy of it changes nothing unless its entry exists.
    creations: Vec<(EntryName, Version)>,
    locks: BTreeMap<EntryName, Lock>,
}

#[derive(Debug)]
struct Lock {
    owner: LockOwner,
    /// The version that the entry was when the lock was taken.
    version: Option<Version>,
    /// A write has released it. A store may take another version than the holder saw for the release.
    released: bool,
}

impl Model {
    pub(crate) fn begin(&mut self, begin: &BeginSession) -> Answer<usize> {
        let new = &begin.record;
        let refused = self.not_before.iter().any(|((clock, without_sid), at)| {
            new.times.on(*clock) <= *at && !(*without_sid && new.sid.is_some())
        });
        if refused {
            return Err(SignedOut);
        }
        self.retain(|old| !begin.supersedes.contains(&old.session_id));
        let living = self.sessions.values().map(|session| &session.record);
        let mut alike: Vec<_> = living
            .filter(|old| !old.is_over(begin.now) && old.kind == new.kind)
            .map(|old| (old.times.requested_at, old.session_id))
            .collect();
        alike.sort_unstable();
        alike.truncate((alike.len() + 1).saturating_sub(begin.max_sessions));
        self.retain(|old| !alike.contains(&(old.times.requested_at, old.session_id)));
        let session = Session {
            record: new.clone(),
            entries: BTreeMap::new(),
            creations: Vec::new(),
            locks: BTreeMap::new(),
        };
        self.sessions.insert(new.session_id, session);
        Ok(alike.len())
    }

    /// `true` if sessions of the same time can be displaced in one order only.
    pub(crate) fn displaces_in_one_order(&self, begin: &BeginSession) -> bool {
        let living = self.sessions.values().map(|session| &session.record);
        let mut alike: Vec<_> = living
            .filter(|old| !old.is_over(begin.now) && old.kind == begin.record.kind)
            .map(|old| old.times.requested_at)
            .collect();
        alike.sort_unstable();
        let displaced = (alike.len() + 1).saturating_sub(begin.max_sessions);
        displaced == 0 || displaced >= alike.len() || alike[displaced - 1] != alike[displaced]
    }

    pub(crate) fn evict(&mut self, target: &EvictTarget, now: Timestamp) -> bool {
        let ends = |old: &SessionRecord| target.ends(&old.session_id, old.sid.as_ref(), &old.times);
        let records = self.sessions.values().map(|session| &session.record);
        let ended = records.filter(|old| !old.is_over(now)).any(ends);
        self.retain(|old| !ends(old));
        let not_before = match target {
            EvictTarget::Account(moment) => Some(((moment.clock, false), moment.at)),
            EvictTarget::SidOrWithoutSid {
                without_sid_until, ..
            } => Some(((CutoffClock::Provider, true), *without_sid_until)),
            EvictTarget::Session(_) | EvictTarget::Sid { .. } => None,
        };
        if let Some((which, at)) = not_before {
            let held = self.not_before.entry(which).or_default();
            *held = at.max(*held);
        }
        ended
    }

    pub(crate) fn session(&self, session_id: &SessionId, now: Timestamp) -> Answer<SessionRecord> {
        self.living(session_id, now)
            .map(|session| session.record.clone())
    }

    pub(crate) fn sessions(&self, now: Timestamp) -> Vec<SessionRecord> {
        let records = self.sessions.values().map(|session| &session.record);
        records.filter(|old| !old.is_over(now)).cloned().collect()
    }

    pub(crate) fn session_ids(&self) -> Vec<SessionId> {
        self.sessions.keys().copied().collect()
    }

    pub(crate) fn read(
        &self,
        session_id: &SessionId,
        name: &EntryName,
        now: Timestamp,
    ) -> Answer<Option<Entry>> {
        let entry = self.living(session_id, now)?.entries.get(name);
        Ok(entry.filter(|entry| !entry.is_expired(now)).cloned())
    }

    pub(crate) fn write(
        &mut self,
        session_id: &SessionId,
        name: &EntryName,
        entry: &Entry,
        mode: PutMode,
        releasing: Option<LockOwner>,
        now: Timestamp,
    ) -> Answer<PutResult> {
        let there = self
            .read(session_id, name, now)?
            .map(|entry| entry.version());
        let session = self.living_mut(session_id, now)?;
        if let Some(owner) = releasing
            && let Some(lock) = session.locks.get_mut(name)
            && lock.owner == owner
        {
            lock.released = true;
        }
        let creation = (*name, entry.version());
        let stored = match mode {
            PutMode::Overwrite => true,
            PutMode::Create if there.is_none() => !session.creations.contains(&creation),
            PutMode::Create => there == Some(entry.version()),
            PutMode::Update(version) => there == Some(version) || there == Some(entry.version()),
        };
        if !stored {
            return Ok(PutResult::PreconditionFailed);
        }
        session.entries.insert(*name, entry.clone());
        if mode == PutMode::Create {
            session.creations.push(creation);
        }
        Ok(PutResult::Stored)
    }

    pub(crate) fn remove(&mut self, session_id: &SessionId, name: &EntryName) {
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.entries.remove(name);
        }
    }

    /// Checks `answer`, and returns the state after it.
    pub(crate) fn acquired(
        &mut self,
        session_id: &SessionId,
        name: &EntryName,
        owner: LockOwner,
        seen: Option<Version>,
        now: Timestamp,
        answer: &Answer<Acquired>,
    ) -> bool {
        let there = match self.read(session_id, name, now) {
            Ok(there) => there,
            Err(SignedOut) => return answer == &Err(SignedOut),
        };
        let version = there.as_ref().map(Entry::version);
        if let Some(entry) = there
            && seen != version
        {
            return answer == &Ok(Acquired::Fresher(entry));
        }
        let Ok(session) = self.living_mut(session_id, now) else {
            return false;
        };
        let other = session.locks.get(name).filter(|lock| lock.owner != owner);
        match answer {
            Ok(Acquired::Held) => {
                // Another version than its holder saw may be freedom enough.
                let free = other.is_none_or(|lock| lock.released || lock.version != version);
                let lock = Lock {
                    owner,
                    version,
                    released: false,
                };
                session.locks.insert(*name, lock);
                free
            }
            Ok(Acquired::Busy(_)) => other
                .is_some_and(|lock| !lock.released || version.is_none() || lock.version == version),
            Ok(Acquired::Fresher(_)) | Err(SignedOut) => false,
        }
    }

    pub(crate) fn release(&mut self, session_id: &SessionId, name: &EntryName, owner: LockOwner) {
        if let Some(session) = self.sessions.get_mut(session_id)
            && session
                .locks
                .get(name)
                .is_some_and(|lock| lock.owner == owner)
        {
            session.locks.remove(name);
        }
    }

    pub(crate) fn end_if_version(
        &mut self,
        session_id: &SessionId,
        name: &EntryName,
        version: Version,
        now: Timestamp,
    ) -> Answer<bool> {
        let there = self.read(session_id, name, now)?;
        let ends = there.is_some_and(|entry| entry.version() == version);
        self.retain(|old| !(ends && old.session_id == *session_id));
        Ok(ends)
    }

    pub(crate) fn keep(
        &mut self,
        name: BackgroundKey,
        background_session: &BackgroundSession,
        now: Timestamp,
    ) -> Answer<()> {
        self.living(&background_session.session_id, now)?;
        let kept = self.background_sessions.entry(name).or_default();
        kept.retain(|other| other.session_id != background_session.session_id);
        kept.insert(0, background_session.clone());
        Ok(())
    }

    pub(crate) fn find(&self, name: &BackgroundKey, now: Timestamp) -> Vec<BackgroundSession> {
        let kept = self.background_sessions.get(name).map(Vec::as_slice);
        let kept = kept.unwrap_or_default().iter();
        kept.filter(|kept| self.living(&kept.session_id, now).is_ok())
            .cloned()
            .collect()
    }

    fn retain(&mut self, stays: impl Fn(&SessionRecord) -> bool) {
        self.sessions.retain(|_, session| stays(&session.record));
    }

    fn living(&self, session_id: &SessionId, now: Timestamp) -> Answer<&Session> {
        let session = self.sessions.get(session_id);
        session
            .filter(|session| !session.record.is_over(now))
            .ok_or(SignedOut)
    }

    fn living_mut(&mut self, session_id: &SessionId, now: Timestamp) -> Answer<&mut Session> {
        let session = self.sessions.get_mut(session_id);
        session
            .filter(|session| !session.record.is_over(now))
            .ok_or(SignedOut)
    }
}

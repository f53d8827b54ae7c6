use std::time::Duration;

use token_cache_core::{
    AccountKey, BeginSession, Begun, CutoffTime, Entry, EntryAddress, EntryName, Error,
    EvictOptions, EvictTarget, Evicted, PutMode, PutResult, ReadOptions, SessionId, SessionKind,
    SessionRecord, SessionTimes, SidKey, Timestamp, TokenStore, Version, WriteOptions,
};

use crate::{
    Violation,
    assertions::{Assertions, should_equal, should_hold},
    random,
};

/// The default lifetime of a session. It is longer than any check, so that only a `now` given by the check is past its end.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3_600);

/// Calls the store's trait directly for one account, with explicit times: all its calls have the same `now`.
#[derive(Clone, Copy)]
pub(crate) struct AccountDriver<'a> {
    pub(crate) store: &'a dyn TokenStore,
    pub(crate) key: AccountKey,
    pub(crate) now: Timestamp,
}

/// Returns a time on the provider's clock, which is independent of the store's clock.
pub(crate) const fn provider(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_600_000_000 + secs)
}

/// The default authentication time of a session, on the provider's clock.
pub(crate) const AUTHENTICATED: Timestamp = provider(1_000);

impl<'a> AccountDriver<'a> {
    pub(crate) const fn new(store: &'a dyn TokenStore, key: AccountKey, now: Timestamp) -> Self {
        Self { store, key, now }
    }

    /// The same account through another handle.
    pub(crate) fn through<'b>(&self, store: &'b dyn TokenStore) -> AccountDriver<'b> {
        AccountDriver::new(store, self.key, self.now)
    }

    /// The same account at another time.
    pub(crate) const fn at_moment(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Returns the default time at which a sign-in was requested.
    pub(crate) fn requested(&self) -> Timestamp {
        self.now - Duration::from_secs(60)
    }

    /// A new session without a `sid`, requested a minute ago.
    pub(crate) fn record(&self) -> Result<SessionRecord, Violation> {
        let times = SessionTimes {
            requested_at: self.requested(),
            auth_time: AUTHENTICATED,
        };
        Ok(SessionRecord::new(
            random::session_id()?,
            None,
            times,
            self.now + LIFETIME,
        ))
    }

    pub(crate) fn begin_of(&self, record: SessionRecord) -> BeginSession {
        BeginSession::new(record, self.now + Duration::from_secs(900), self.now)
    }

    pub(crate) async fn begin(&self, record: SessionRecord) -> Result<Begun, Error> {
        self.store.begin(&self.key, self.begin_of(record)).await
    }

    pub(crate) async fn signs_in(&self) -> Result<SessionId, Violation> {
        self.signs_in_as(self.record()?).await
    }

    pub(crate) async fn signs_in_as(&self, record: SessionRecord) -> Result<SessionId, Violation> {
        let session_id = record.session_id;
        self.begin(record).await.should_work("a sign-in")?;
        Ok(session_id)
    }

    /// The address of a new entry of a session.
    pub(crate) fn entry(&self, session_id: &SessionId) -> Result<EntryAddress, Violation> {
        Ok(self.entry_named(session_id, random::entry()?))
    }

    /// The address of an entry of a session, also in a store that seals.
    pub(crate) fn entry_named(&self, session_id: &SessionId, name: EntryName) -> EntryAddress {
        EntryAddress::new(self.key, *session_id, name)
    }

    pub(crate) async fn write_entry(
        &self,
        at: &EntryAddress,
        entry: Entry,
        mode: PutMode,
    ) -> Result<PutResult, Error> {
        self.store
            .write(at, entry, WriteOptions::at(self.now).mode(mode))
            .await
    }

    pub(crate) async fn write(&self, at: &EntryAddress, value: &[u8]) -> Result<PutResult, Error> {
        let entry = Entry::new(value, Version::mint()?, self.now + LIFETIME);
        self.write_entry(at, entry, PutMode::Overwrite).await
    }

    /// Writes a value that must be stored, and answers with its version.
    pub(crate) async fn puts(&self, at: &EntryAddress, value: &[u8]) -> Result<Version, Violation> {
        let version = Version::mint().should_work("minting a version")?;
        let entry = Entry::new(value, version, self.now + LIFETIME);
        let written = self.write_entry(at, entry, PutMode::Overwrite).await;
        should_equal(
            &written.should_work("a write")?,
            &PutResult::Stored,
            "an unconditional write",
        )?;
        Ok(version)
    }

    pub(crate) async fn read(&self, at: &EntryAddress) -> Result<Option<Entry>, Error> {
        self.store.read(at, ReadOptions::at(self.now)).await
    }

    /// The entry is there and has this value.
    pub(crate) async fn holds(&self, at: &EntryAddress, value: &[u8]) -> Result<(), Violation> {
        let read = self
            .read(at)
            .await
            .should_work("a read of a living session")?;
        match read {
            Some(entry) if entry.stored() == value => Ok(()),
            Some(entry) => Err(Violation::new(
                format!("the value of {} bytes that was written", value.len()),
                format!("another value, of {} bytes", entry.stored().len()),
            )),
            None => Err(Violation::new("the value that was written", "a miss")),
        }
    }

    /// The session lives, and there is no entry.
    pub(crate) async fn misses(&self, at: &EntryAddress) -> Result<(), Violation> {
        let read = self
            .read(at)
            .await
            .should_work("a read of a living session")?;
        should_hold(read.is_none(), "a miss", "a hit")
    }

    pub(crate) async fn session(&self, session_id: &SessionId) -> Result<SessionRecord, Error> {
        self.store
            .session(&self.key, session_id, ReadOptions::at(self.now))
            .await
    }

    pub(crate) async fn sessions(&self) -> Result<Vec<SessionId>, Violation> {
        let sessions = self
            .store
            .sessions(&self.key, ReadOptions::at(self.now))
            .await;
        let sessions = sessions.should_work("listing the sessions")?;
        Ok(sessions.iter().map(|record| record.session_id).collect())
    }

    pub(crate) async fn lives(&self, session_id: &SessionId) -> Result<(), Violation> {
        self.session(session_id)
            .await
            .should_work("a look at a session that lives")?;
        let listed = self.sessions().await?.contains(session_id);
        should_hold(
            listed,
            "a living session in the list",
            "it is missing there",
        )
    }

    /// Nothing of the session can be seen, read or written.
    pub(crate) async fn is_gone(&self, session_id: &SessionId) -> Result<(), Violation> {
        self.session(session_id)
            .await
            .should_be_signed_out("a look at an ended session")?;
        let at = self.entry(session_id)?;
        self.read(&at)
            .await
            .should_be_signed_out("a read of an ended session")?;
        self.write(&at, b"late")
            .await
            .should_be_signed_out("a write to an ended session")?;
        self.read(&at)
            .await
            .should_be_signed_out("a read after the refused write")?;
        let listed = self.sessions().await?.contains(session_id);
        should_hold(!listed, "no ended session in the list", "one is listed")
    }

    pub(crate) async fn evict(&self, target: EvictTarget) -> Result<Evicted, Error> {
        self.store
            .evict(&self.key, target, EvictOptions::at(self.now))
            .await
    }

    /// Evicts `target`, and the store says that it ended a session.
    pub(crate) async fn evicts_sessions(&self, target: EvictTarget) -> Result<(), Violation> {
        let evicted = self.evict(target).await.should_work("a sign-out")?;
        should_hold(
            evicted.ended,
            "a sign-out that says it ended something",
            "`ended` is false",
        )
    }

    /// Evicts `target`, and the store says that it ended no session.
    pub(crate) async fn evicts_nothing(&self, target: EvictTarget) -> Result<(), Violation> {
        let evicted = self.evict(target).await.should_work("a sign-out")?;
        should_hold(
            !evicted.ended,
            "a sign-out that says it ended nothing",
            "`ended` is true",
        )
    }
}

/// Returns the evict target of an account with a cutoff time on the store's clock.
pub(crate) const fn by_app(at: Timestamp) -> EvictTarget {
    EvictTarget::Account(CutoffTime::on_store_clock(at))
}

/// Returns the evict target of an account with a cutoff time on the provider's clock.
pub(crate) const fn by_provider(at: Timestamp) -> EvictTarget {
    EvictTarget::Account(CutoffTime::on_provider_clock(at))
}

/// Replaces defaults of a new session's record.
pub(crate) trait Amend: Sized {
    fn with_sid(self, sid: SidKey) -> Self;
    fn requested_at(self, place: Timestamp) -> Self;
    fn authenticated_at(self, place: Timestamp) -> Self;
    fn ending_at(self, end: Timestamp) -> Self;
    fn on_behalf_of(self) -> Self;
}

impl Amend for SessionRecord {
    fn with_sid(mut self, sid: SidKey) -> Self {
        self.sid = Some(sid);
        self
    }

    fn requested_at(mut self, place: Timestamp) -> Self {
        self.times.requested_at = place;
        self
    }

    fn authenticated_at(mut self, place: Timestamp) -> Self {
        self.times.auth_time = place;
        self
    }

    fn ending_at(mut self, end: Timestamp) -> Self {
        self.ends_at = end;
        self
    }

    fn on_behalf_of(self) -> Self {
        self.of_kind(SessionKind::OnBehalfOf)
    }
}

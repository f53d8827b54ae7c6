//! Random calls, each of whose answers is what the contract says.

use std::{fmt::Debug, time::Duration};

use token_cache_core::{
    AccountKey, BackgroundKey, BeginSession, CutoffBound, CutoffTime, Entry, EntryAddress,
    EntryName, Error, EvictOptions, EvictTarget, LockOwner, PutMode, ReadOptions, SessionId,
    SessionKind, SessionRecord, SessionTimes, SidKey, Timestamp, Version, WriteOptions,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver},
    assertions::Assertions,
    model::{Model, SignedOut},
    random::{self, Dice},
};

mod optional_parts;

const ROUNDS: usize = 6;

const STEPS: usize = 70;

const HOUR: Duration = Duration::from_secs(3_600);

const MILLI: Duration = Duration::from_millis(1);

/// Whatever is asked of two accounts in any order, the answers are what the contract says.
pub(crate) async fn any_calls_are_answered_as_the_contract_says(
    setup: &Setup,
) -> Result<(), Violation> {
    for _ in 0..ROUNDS {
        let mut round = Round::new(setup)?;
        for _ in 0..STEPS {
            round.step(setup).await.map_err(|violation| {
                let calls = round.log.join("\n    ");
                let seen = format!("{}; the calls were:\n    {calls}", violation.seen);
                Violation::new(violation.expected, seen)
            })?;
        }
    }
    Ok(())
}

/// Two accounts, and names that differ in one byte.
struct Round<'a> {
    accounts: [(AccountDriver<'a>, Model); 2],
    dice: Dice,
    now: Timestamp,
    sids: [SidKey; 2],
    names: [EntryName; 2],
    background_sessions: [BackgroundKey; 2],
    owners: [LockOwner; 2],
    versions: Vec<Version>,
    /// Conditional writes: one of them may arrive once more at any time.
    sent: Vec<(usize, EntryAddress, Entry, PutMode)>,
    session_ids: Vec<SessionId>,
    log: Vec<String>,
}

fn twins<const N: usize>(dice: &mut Dice) -> Result<[[u8; N]; 2], Violation> {
    let first: [u8; N] = random::bytes()?;
    let mut second = first;
    second[dice.below(N)] ^= 1 << dice.below(8);
    Ok([first, second])
}

/// An answer, in the terms of the model.
fn answer<T>(answer: Result<T, Error>, what: &str) -> Result<Result<T, SignedOut>, Violation> {
    match answer {
        Err(error) if error.is_signed_out() => Ok(Err(SignedOut)),
        answer => answer.should_work(what).map(Ok),
    }
}

fn as_said<T: PartialEq + Debug>(seen: &T, expected: &T, what: &str) -> Result<(), Violation> {
    if seen == expected {
        return Ok(());
    }
    Err(Violation::new(
        format!("{what}: {expected:?}"),
        format!("{seen:?}"),
    ))
}

impl<'a> Round<'a> {
    fn new(setup: &'a Setup) -> Result<Self, Violation> {
        let mut dice = Dice::new()?;
        let [ada, bob] = twins(&mut dice)?;
        let issuer = random::issuer()?;
        let account = |subject| {
            let key = AccountKey::new(issuer, subject);
            (
                AccountDriver::new(setup.store(), key, setup.now()),
                Model::default(),
            )
        };
        let first = random::bytes()?;
        Ok(Self {
            accounts: [account(ada), account(bob)],
            now: setup.now(),
            sids: twins(&mut dice)?.map(SidKey::from_bytes),
            names: twins(&mut dice)?.map(EntryName::from_bytes),
            background_sessions: twins(&mut dice)?.map(BackgroundKey::from_bytes),
            owners: twins(&mut dice)?.map(LockOwner::from_bytes),
            versions: vec![Version::from_bytes(first)],
            sent: Vec::new(),
            session_ids: Vec::new(),
            dice,
            log: Vec::new(),
        })
    }

    fn requested_at_of(&mut self) -> Timestamp {
        self.accounts[0].0.requested() + MILLI * self.dice.number(10)
    }

    fn auth_time_of(&mut self) -> Timestamp {
        AUTHENTICATED + MILLI * self.dice.number(10)
    }

    fn sid(&mut self) -> SidKey {
        self.sids[self.dice.below(2)]
    }

    /// A session that there is, was or never was.
    fn session_id(&mut self, which: usize) -> Result<SessionId, Violation> {
        let living = self.accounts[which].1.session_ids();
        Ok(match self.dice.below(8) {
            0 if !self.session_ids.is_empty() => {
                self.session_ids[self.dice.below(self.session_ids.len())]
            }
            1 => random::session_id()?,
            _ if !living.is_empty() => living[self.dice.below(living.len())],
            _ => random::session_id()?,
        })
    }

    /// A version that was written, or a neighbour of one.
    fn seen_version(&mut self) -> Version {
        let recent = self.versions.len().min(4);
        let version = self.versions[self.versions.len() - 1 - self.dice.below(recent)];
        let mut bytes = *version.as_bytes();
        if self.dice.below(4) == 0 {
            bytes[self.dice.below(8)] ^= 1 << self.dice.below(8);
        }
        Version::from_bytes(bytes)
    }

    fn new_version(&mut self) -> Result<Version, Violation> {
        let version = if self.dice.below(3) == 0 {
            let mut bytes = *self.versions[self.versions.len() - 1].as_bytes();
            bytes[self.dice.below(8)] = random::bytes::<1>()?[0];
            Version::from_bytes(bytes)
        } else {
            Version::mint().should_work("minting a version")?
        };
        if !self.versions.contains(&version) {
            self.versions.push(version);
            return Ok(version);
        }
        let version = Version::mint().should_work("minting a version")?;
        self.versions.push(version);
        Ok(version)
    }

    fn at(&mut self, which: usize) -> Result<EntryAddress, Violation> {
        let name = self.names[self.dice.below(2)];
        let session_id = self.session_id(which)?;
        Ok(self.accounts[which].0.entry_named(&session_id, name))
    }

    async fn step(&mut self, setup: &Setup) -> Result<(), Violation> {
        let which = self.dice.below(2);
        match self.dice.below(100) {
            0..20 => self.begins(which).await,
            20..27 => self.cuts(which).await,
            27..30 => self.looks(which).await,
            30..35 if !self.sent.is_empty() => self.arrives_again().await,
            30..50 => self.writes(which).await,
            50..66 => self.reads(which).await,
            66..72 => self.removes(which).await,
            72..86 => self.locks(setup, which).await,
            86..95 => self.background_sessions(setup, which).await,
            _ => {
                self.now = self.now + Duration::from_secs(60 * self.dice.below(60) as u64);
                Ok(())
            }
        }
    }

    async fn begins(&mut self, which: usize) -> Result<(), Violation> {
        let times = SessionTimes {
            requested_at: self.requested_at_of(),
            auth_time: self.auth_time_of(),
        };
        let sid = (self.dice.below(2) == 0).then(|| self.sid());
        let ends_at = self.now + HOUR + HOUR * self.dice.number(5);
        let mut session_id = *random::session_id()?.as_bytes();
        if let Some(last) = self.session_ids.last()
            && self.dice.below(2) == 0
        {
            session_id = *last.as_bytes();
            session_id[self.dice.below(16)] = random::bytes::<1>()?[0];
        }
        let session_id = SessionId::from_bytes(session_id);
        if self.session_ids.contains(&session_id) {
            return Ok(());
        }
        self.session_ids.push(session_id);
        let mut record = SessionRecord::new(session_id, sid, times, ends_at);
        if self.dice.below(4) == 0 {
            record = record.of_kind(SessionKind::OnBehalfOf);
        }
        let not_after = self.accounts[which].0.now + HOUR;
        let mut begin = BeginSession::new(record, not_after, self.now);
        if self.dice.below(4) == 0 {
            begin.max_sessions = 1 + self.dice.below(4);
        }
        if self.dice.below(5) == 0 {
            begin.supersedes = vec![self.session_id(which)?, random::session_id()?];
        }
        let (ada, model) = &mut self.accounts[which];
        if !model.displaces_in_one_order(&begin) {
            begin.max_sessions = BeginSession::MAX_SESSIONS;
        }
        self.log.push(format!("{which}: begin {begin:?}"));
        let begun = ada.store.begin(&ada.key, begin.clone()).await;
        let begun = answer(begun, "a sign-in")?.map(|begun| begun.displaced);
        as_said(&begun, &model.begin(&begin), "displaced by a sign-in")
    }

    async fn cuts(&mut self, which: usize) -> Result<(), Violation> {
        let (store, provider) = (self.requested_at_of(), self.auth_time_of());
        let bound = match self.dice.below(3) {
            0 => CutoffBound::Forever,
            1 => CutoffBound::Time(CutoffTime::on_provider_clock(provider)),
            _ => CutoffBound::Time(CutoffTime::on_store_clock(store)),
        };
        let sid = self.sid();
        // Now and then one that ends all; usually one that spares some.
        let target = match self.dice.below(6) {
            0 => EvictTarget::Account(CutoffTime::on_store_clock(store - MILLI * 4)),
            1 => EvictTarget::Account(CutoffTime::on_provider_clock(provider - MILLI * 4)),
            2 => EvictTarget::SidOrWithoutSid {
                sid,
                without_sid_until: provider - MILLI * 3,
            },
            3 => EvictTarget::Sid { sid, bound },
            _ => EvictTarget::Session(self.session_id(which)?),
        };
        let (ada, model) = &mut self.accounts[which];
        self.log.push(format!("{which}: evict {target:?}"));
        let options = EvictOptions::at(self.now);
        let evicted = ada.store.evict(&ada.key, target, options).await;
        let ended = evicted.should_work("a sign-out")?.ended;
        as_said(
            &ended,
            &model.evict(&target, self.now),
            "ended by a sign-out",
        )
    }

    async fn looks(&mut self, which: usize) -> Result<(), Violation> {
        let session_id = self.session_id(which)?;
        let (ada, model) = &self.accounts[which];
        self.log
            .push(format!("{which}: look at {:?}", session_id.as_bytes()));
        let options = ReadOptions::at(self.now);
        let session = ada.store.session(&ada.key, &session_id, options).await;
        let session = answer(session, "a look at a session")?;
        as_said(&session, &model.session(&session_id, self.now), "a session")?;
        let listed = ada.store.sessions(&ada.key, options).await;
        let mut listed = listed.should_work("listing the sessions")?;
        listed.sort_by_key(|record| record.session_id);
        as_said(&listed, &model.sessions(self.now), "the sessions")
    }

    async fn writes(&mut self, which: usize) -> Result<(), Violation> {
        let at = self.at(which)?;
        let there = self.accounts[which]
            .1
            .read(at.session_id(), at.name(), self.now);
        let there = there.ok().flatten().map(|entry| entry.version());
        let mode = match self.dice.below(6) {
            0 | 1 => PutMode::Create,
            2 => PutMode::Overwrite,
            3 => PutMode::Update(self.seen_version()),
            _ => there.map_or(PutMode::Create, PutMode::Update),
        };
        let version = self.new_version()?;
        let length = self.dice.below(40);
        let life = MILLI + Duration::from_secs(60 * self.dice.below(300) as u64);
        let value = vec![self.dice.below(256).to_le_bytes()[0]; length];
        // No entry that the cache writes outlives its session: a near-cache entry of an entry does not know the session's end.
        let session = self.accounts[which].1.session(at.session_id(), self.now);
        let ends_at = session.map_or(Timestamp::MAX, |session| session.ends_at);
        let entry = Entry::new(value, version, ends_at.min(self.now + life));
        let releasing = (self.dice.below(3) == 0).then(|| self.owners[self.dice.below(2)]);
        if mode != PutMode::Overwrite {
            let sent = (which, at, entry.clone(), mode);
            self.sent.push(sent);
        }
        let (ada, model) = &mut self.accounts[which];
        self.log.push(format!(
            "{which}: write {at:?} {entry:?} {mode:?} {releasing:?}"
        ));
        let mut options = WriteOptions::at(self.now).mode(mode);
        options.releasing = releasing;
        let written = ada.store.write(&at, entry.clone(), options).await;
        let written = answer(written, "a write")?;
        let expected = model.write(
            at.session_id(),
            at.name(),
            &entry,
            mode,
            releasing,
            self.now,
        );
        as_said(&written, &expected, "a write")?;
        self.read(which, &at).await
    }

    async fn arrives_again(&mut self) -> Result<(), Violation> {
        let recent = self.sent.len().min(6);
        let sent = self.sent.len() - 1 - self.dice.below(recent);
        let (which, at, entry, mode) = self.sent[sent].clone();
        self.log.push(format!(
            "{which}: write once more {at:?} {entry:?} {mode:?}"
        ));
        let (ada, model) = &mut self.accounts[which];
        let options = WriteOptions::at(self.now).mode(mode);
        let written = ada.store.write(&at, entry.clone(), options).await;
        let written = answer(written, "a write that arrives once more")?;
        let expected = model.write(at.session_id(), at.name(), &entry, mode, None, self.now);
        as_said(&written, &expected, "a write that arrives once more")?;
        self.read(which, &at).await
    }

    async fn reads(&mut self, which: usize) -> Result<(), Violation> {
        let at = self.at(which)?;
        self.log.push(format!("{which}: read {at:?}"));
        self.read(which, &at).await
    }

    async fn read(&self, which: usize, at: &EntryAddress) -> Result<(), Violation> {
        let (ada, model) = &self.accounts[which];
        let read = ada.store.read(at, ReadOptions::at(self.now)).await;
        let read = answer(read, "a read")?;
        let expected = model.read(at.session_id(), at.name(), self.now);
        as_said(&read, &expected, "an entry")?;
        let parts = |read: &Result<Option<Entry>, SignedOut>| {
            let entry = read.as_ref().ok().and_then(Option::as_ref);
            entry.map(|entry| (entry.version(), entry.stored().to_vec()))
        };
        as_said(
            &parts(&read),
            &parts(&expected),
            "an entry's version and bytes",
        )
    }

    async fn removes(&mut self, which: usize) -> Result<(), Violation> {
        let at = self.at(which)?;
        self.log.push(format!("{which}: remove {at:?}"));
        let (ada, model) = &mut self.accounts[which];
        ada.store.remove(&at).await.should_work("a removal")?;
        model.remove(at.session_id(), at.name());
        self.read(which, &at).await
    }
}

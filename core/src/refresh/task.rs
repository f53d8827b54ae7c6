use std::sync::Arc;

use tokio::time::{self, Instant};

use super::{
    AfterLostAnswer, RefreshOptions, RefreshPolicy, TokenSource,
    freshness::Freshness,
    lock::{Lock, POLL},
    tasks::RefreshKey,
    under_lock::RefreshOutcome,
};
use crate::{
    Acquired, Entry, EntryKey, Error, ErrorKind, Result, Session, TokenSet, Version,
    store::backend::backoff,
    telemetry::{About, Operation, observe},
};

pub(super) const REFRESH: &str = "refresh tokens";

/// One refresh, from the lock to the write-back. It runs in a task of its own.
pub(super) struct RefreshTask {
    pub(super) session: Session,
    /// The entry whose refresh token is sent.
    pub(super) spent: EntryKey,
    /// The entry that the new access token is for.
    pub(super) wanted: EntryKey,
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) options: RefreshOptions,
    pub(super) policy: RefreshPolicy,
    pub(super) name: RefreshKey,
    /// The version that was found due.
    found: Option<Version>,
}

/// The result of a refresh task.
struct Refreshed {
    by: By,
    tokens: TokenSet,
}

/// The origin of refreshed tokens.
enum By {
    Us,
    /// Another server's refresh, or a put in between.
    Others,
}

impl Refreshed {
    fn by(by: By, tokens: TokenSet) -> Self {
        Self { by, tokens }
    }
}

impl RefreshTask {
    pub(super) fn new(
        session: Session,
        wanted: &EntryKey,
        source: Arc<dyn TokenSource>,
        options: RefreshOptions,
        name: RefreshKey,
    ) -> Self {
        let policy = *session.cache().refreshes().policy();
        let wanted = wanted.clone();
        Self {
            spent: options.spends.clone().unwrap_or_else(|| wanted.clone()),
            session,
            wanted,
            source,
            options,
            policy,
            name,
            found: None,
        }
    }

    /// Refreshes the entry that was read: tokens that are due, or `ahead` of that.
    pub(super) async fn run(self, read: Option<Entry>, ahead: bool) -> Result<TokenSet> {
        let (account, _) = self.session.names();
        let (account, refresh) = (*account, self.refresh(read));
        let how = |refreshed: &Refreshed| match refreshed.by {
            By::Us if ahead => "ahead",
            By::Us => "refreshed",
            By::Others => "waited",
        };
        let refreshed = observe(Operation::Refresh, About::account(&account), refresh, how);
        Ok(refreshed.await?.tokens)
    }

    /// Takes the lock and refreshes, or waits for another server that has it.
    async fn refresh(mut self, read: Option<Entry>) -> Result<Refreshed> {
        self.found = read.as_ref().map(Entry::version);
        let lock = Lock::of(self.session.clone(), self.spent.clone(), self.policy.lease)?;
        let mut seen = if self.spends_itself() {
            read
        } else {
            self.session.get(&self.spent).await?
        };
        let until = Instant::now() + self.policy.patience();
        let (mut attempt, mut watched) = (0, None);
        while Instant::now() < until {
            let mut overtaken = false;
            let acquired = lock.acquire(seen.as_ref().map(Entry::version)).await;
            if acquired.as_ref().is_err_and(Error::may_have_applied) {
                lock.release().await;
            }
            match acquired? {
                (Acquired::Held, held_since) => {
                    let sent = seen.as_ref().filter(|_| self.marks_what_it_sends());
                    if let Some(sent) = sent
                        .filter(|entry| entry.is_sent())
                        .map(Entry::version)
                        .filter(|sent| watched != Some(*sent))
                    {
                        // If a new version releases the lock on this store, its owner may be about to take it again.
                        watched = Some(sent);
                        lock.release().await;
                        time::sleep(self.policy.lease).await;
                        continue;
                    }
                    let outcome = self
                        .refresh_under_lock(&lock, held_since, seen.as_ref())
                        .await;
                    if !matches!(outcome, Ok(RefreshOutcome::Stored(_))) {
                        lock.release().await;
                    }
                    match outcome? {
                        RefreshOutcome::Stored(tokens) | RefreshOutcome::StoredBeside(tokens) => {
                            return Ok(Refreshed::by(By::Us, tokens));
                        }
                        RefreshOutcome::Settled(tokens) => {
                            return Ok(Refreshed::by(By::Others, tokens));
                        }
                        RefreshOutcome::Overtaken => {
                            seen = self.session.get(&self.spent).await?;
                            overtaken = true;
                        }
                    }
                }
                (Acquired::Fresher(entry), _) => seen = Some(entry),
                (Acquired::Busy(left), _) => {
                    time::sleep(backoff(POLL, attempt).min(left)).await;
                    attempt += 1;
                    continue;
                }
            }
            let wanted = self.read_wanted(seen.as_ref()).await?;
            if let Some(tokens) = self.settled(wanted.as_ref()).await? {
                return Ok(Refreshed::by(By::Others, tokens));
            }
            if overtaken {
                // The provider may have been called in vain, so it is not called again at once.
                time::sleep(backoff(POLL, attempt)).await;
                attempt += 1;
            }
        }
        Err(Error::new(ErrorKind::TimedOut, REFRESH)
            .message("another server has been refreshing these tokens for too long; try again"))
    }

    pub(super) fn marks_what_it_sends(&self) -> bool {
        self.policy.after_lost_answer == AfterLostAnswer::EndSession
    }

    pub(super) fn spends_itself(&self) -> bool {
        self.name.spent == self.name.wanted
    }

    /// Returns the requested entry. It is `spent` unless another entry's refresh token is spent for it.
    pub(super) async fn read_wanted(&self, spent: Option<&Entry>) -> Result<Option<Entry>> {
        if self.spends_itself() {
            return Ok(spent.cloned());
        }
        self.session.get(&self.wanted).await
    }

    /// Returns the requested tokens, if they were replaced since and the new ones are usable.
    pub(super) async fn settled(&self, wanted: Option<&Entry>) -> Result<Option<TokenSet>> {
        let Some(wanted) = wanted.filter(|entry| Some(entry.version()) != self.found) else {
            return Ok(None);
        };
        let now = self.session.fresh_keys().await?.latest;
        let tokens = wanted.tokens()?;
        let lifetime = self.options.default_lifetime(&tokens, &self.policy);
        let is_due = Freshness::of(&tokens, now, lifetime) == Freshness::Due;
        Ok((!is_due && !self.options.rejects(&tokens)).then_some(tokens))
    }
}

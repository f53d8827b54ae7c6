use std::{sync::Arc, time::Duration};

use tokio::time::{self, Instant};

use super::{
    AfterLostAnswer, RefreshError, RefreshErrorKind, RefreshOptions, RefreshPolicy, RefreshRequest,
    TokenSource,
    answer::Answer,
    call::{CallFailure, call},
    flights::FlightName,
    freshness::Freshness,
    lock::Lock,
    revocation::revoke,
    write_back::write_back,
};
use crate::{
    Acquired, Entry, EntryKey, Error, ErrorKind, Over, Result, Session, TokenSet, Value, Version,
    WriteOptions, Written,
    backend::backoff,
    telemetry::{About, Operation, observe},
};

const REFRESH: &str = "refresh tokens";

/// The first pause of whoever waits for another server's refresh.
const POLL: Duration = Duration::from_millis(20);

/// One refresh, from the lock to the write-back. It runs in a task of its own.
pub(super) struct Flight {
    session: Session,
    /// The entry whose refresh token is sent.
    spent: EntryKey,
    /// The entry that the new access token is for.
    wanted: EntryKey,
    source: Arc<dyn TokenSource>,
    options: RefreshOptions,
    policy: RefreshPolicy,
    name: FlightName,
    /// The version that was found due.
    found: Option<Version>,
}

/// How the holder of the lock fared.
enum Led {
    /// Stored, and the lock released by the same request.
    Stored(TokenSet),
    /// Stored, and the lock still held.
    StoredBeside(TokenSet),
    /// Others had stored them before.
    Settled(TokenSet),
    /// Another version is there than the one that was sent, or the lease has nearly run out: read again.
    Overtaken,
}

/// What a flight ends with.
struct Refreshed {
    by: By,
    tokens: TokenSet,
}

/// Whose refresh it was.
enum By {
    Us,
    /// Another server's, or a put in between.
    Others,
}

impl Refreshed {
    fn by(by: By, tokens: TokenSet) -> Self {
        Self { by, tokens }
    }
}

impl Flight {
    pub(super) fn new(
        session: Session,
        wanted: &EntryKey,
        source: Arc<dyn TokenSource>,
        options: RefreshOptions,
        name: FlightName,
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

    /// Refreshes what was read: tokens that are due, or ahead of that.
    pub(super) async fn run(self, read: Option<Entry>, ahead: bool) -> Result<TokenSet> {
        let (account, _) = self.session.names();
        let (account, refresh) = (*account, self.refresh(read));
        let how = |refreshed: &Refreshed| match refreshed.by {
            By::Us if ahead => "ahead",
            By::Us => "led",
            By::Others => "waited",
        };
        let refreshed = observe(Operation::Refresh, About::account(&account), refresh, how);
        Ok(refreshed.await?.tokens)
    }

    /// Takes the lock and refreshes, or waits for whoever holds it.
    async fn refresh(mut self, read: Option<Entry>) -> Result<Refreshed> {
        self.found = read.as_ref().map(Entry::version);
        let lock = Lock::of(self.session.clone(), self.spent.clone(), self.policy.lease)?;
        let mut seen = if self.spends_itself() {
            read
        } else {
            self.session.get(&self.spent).await?
        };
        let until = Instant::now() + self.policy.patience();
        let mut attempt = 0;
        while Instant::now() < until {
            let acquired = lock.acquire(seen.as_ref().map(Entry::version)).await;
            if acquired.as_ref().is_err_and(Error::may_have_applied) {
                lock.release().await;
            }
            match acquired? {
                (Acquired::Held, held_since) => {
                    let led = self.lead(&lock, held_since, seen.as_ref()).await;
                    if !matches!(led, Ok(Led::Stored(_))) {
                        lock.release().await;
                    }
                    match led? {
                        Led::Stored(tokens) | Led::StoredBeside(tokens) => {
                            return Ok(Refreshed::by(By::Us, tokens));
                        }
                        Led::Settled(tokens) => return Ok(Refreshed::by(By::Others, tokens)),
                        Led::Overtaken => seen = self.session.get(&self.spent).await?,
                    }
                }
                (Acquired::Fresher(entry), _) => seen = Some(entry),
                (Acquired::Busy(left), _) => {
                    time::sleep(backoff(POLL, attempt).min(left)).await;
                    attempt += 1;
                    continue;
                }
            }
            if let Some(tokens) = self.settled(seen.as_ref()).await? {
                return Ok(Refreshed::by(By::Others, tokens));
            }
        }
        Err(Error::new(ErrorKind::TimedOut, REFRESH)
            .message("another server has been refreshing these tokens for too long; try again"))
    }

    fn spends_itself(&self) -> bool {
        self.name.spent == self.name.wanted
    }

    /// The tokens that were asked for, if somebody has written others since, and they are of use.
    async fn settled(&self, spent: Option<&Entry>) -> Result<Option<TokenSet>> {
        let read;
        let wanted = if self.spends_itself() {
            spent
        } else {
            read = self.session.get(&self.wanted).await?;
            read.as_ref()
        };
        let Some(wanted) = wanted.filter(|entry| Some(entry.version()) != self.found) else {
            return Ok(None);
        };
        let now = self.session.fresh_keys().await?.latest;
        let tokens = wanted.tokens()?;
        Ok((Freshness::of(&tokens, now) != Freshness::Due).then_some(tokens))
    }

    /// Refreshes under the lock, which says that the entry is still the version `seen`.
    async fn lead(&self, lock: &Lock, held_since: Instant, seen: Option<&Entry>) -> Result<Led> {
        if !self.spends_itself()
            && let Some(tokens) = self.settled(seen).await?
        {
            // Another entry's refresh was this one's as well, and left the refresh token as it was.
            return Ok(Led::Settled(tokens));
        }
        let old = seen.map(Entry::tokens).transpose()?;
        let has_refresh_token = old
            .as_ref()
            .is_some_and(|old| old.refresh_token().is_some());
        if !has_refresh_token && !self.options.without_refresh_token {
            return Err(not_refreshable());
        }
        let mut version = seen.map(Entry::version);
        if self.policy.after_lost_answer == AfterLostAnswer::EndSession
            && let (Some(seen), Some(old)) = (seen, &old)
        {
            if seen.is_sent() {
                return self.end_session(lock, seen.version(), answer_lost()).await;
            }
            match self.mark_sent(old, seen.version()).await? {
                Some(marked) => version = Some(marked),
                None => return Ok(Led::Overtaken),
            }
        }
        let mut request = RefreshRequest::new(old, self.session.fresh_keys().await?.earliest);
        request.resource.clone_from(&self.options.resource);
        request.scopes.clone_from(&self.options.scopes);
        if held_since.elapsed() > self.policy.lease / 2 {
            return Ok(Led::Overtaken);
        }
        let ask = async {
            let call = call(&self.source, request.clone(), lock, version, &self.policy);
            Answer::checked(call.await?, &request).map_err(CallFailure::Provider)
        };
        let answer = observe(
            Operation::CallProvider,
            About::default(),
            ask,
            |_| "answered",
        );
        match answer.await {
            Ok(answer) => self.store(lock, answer, request.tokens, version).await,
            Err(CallFailure::Panicked) => Err(Error::new(ErrorKind::Unexpected, REFRESH)
                .message("the token source panicked; the old tokens are as they were")),
            Err(CallFailure::Provider(error)) => {
                self.refused(lock, error, request.tokens, version).await
            }
        }
    }

    /// Writes what the provider gave over the version that was sent.
    async fn store(
        &self,
        lock: &Lock,
        answer: Answer,
        old: Option<TokenSet>,
        sent: Option<Version>,
    ) -> Result<Led> {
        let minted = answer.refresh_token().cloned();
        let stored = self.write(lock, answer, old, sent).await;
        if let (Err(error), Some(minted)) = (&stored, minted)
            && error.is_signed_out()
        {
            // The sign-out stands whether the provider revokes the token or not.
            let _ = revoke(&self.session, &self.source, minted).await;
        }
        stored
    }

    async fn write(
        &self,
        lock: &Lock,
        answer: Answer,
        old: Option<TokenSet>,
        sent: Option<Version>,
    ) -> Result<Led> {
        let over = sent.map_or(Over::Nothing, Over::Version);
        let (Some(old), false) = (&old, self.spends_itself()) else {
            let tokens = answer.for_itself(old.as_ref());
            let value = Value::try_from(&tokens)?;
            let written = write_back(&self.session, &self.wanted, value, over, lock.owner());
            return Ok(match written.await? {
                Written::Stored => Led::Stored(tokens),
                Written::Superseded => Led::Overtaken,
            });
        };
        let both = answer.for_another(old);
        // First what can't be had again.
        if let Some(spent) = &both.spent {
            let value = Value::try_from(spent)?;
            let written = write_back(&self.session, &self.spent, value, over, None);
            if written.await? == Written::Superseded {
                return Ok(Led::Overtaken);
            }
        }
        let value = Value::try_from(&both.wanted)?;
        // A put in between is as good: both are of this session.
        let _ = write_back(&self.session, &self.wanted, value, Over::Anything, None).await?;
        Ok(Led::StoredBeside(both.wanted))
    }

    /// What a refusal means for the session.
    async fn refused(
        &self,
        lock: &Lock,
        error: RefreshError,
        old: Option<TokenSet>,
        sent: Option<Version>,
    ) -> Result<Led> {
        if error.kind() == RefreshErrorKind::InvalidGrant
            && let Some(sent) = sent
        {
            return self.end_session(lock, sent, error).await;
        }
        if self.policy.after_lost_answer == AfterLostAnswer::EndSession
            && !error.is_answer_lost()
            && let (Some(old), Some(sent)) = (&old, sent)
        {
            // The provider has answered, so the token may be sent again. Where this fails, the next refresh ends the session.
            let value = Value::try_from(old)?;
            let over = Over::Version(sent);
            let _ = write_back(&self.session, &self.spent, value, over, None).await;
        }
        let kind = match error.kind() {
            RefreshErrorKind::Transient => ErrorKind::ProviderUnavailable,
            RefreshErrorKind::Malformed => ErrorKind::ProviderMalformed,
            RefreshErrorKind::Refused | RefreshErrorKind::InvalidGrant => {
                ErrorKind::ProviderRefused
            }
        };
        let pause = error.pause().unwrap_or(self.policy.pause);
        let error = Error::new(kind, REFRESH)
            .message(error.to_string())
            .with_source(error);
        if kind == ErrorKind::ProviderUnavailable {
            let refreshes = self.session.cache().refreshes();
            refreshes.pause(self.name, pause, error.clone());
        }
        Err(error)
    }

    /// Ends the session, unless somebody has put other tokens in between.
    async fn end_session(&self, lock: &Lock, sent: Version, reason: RefreshError) -> Result<Led> {
        if !lock.end_session_if(sent).await? {
            return Ok(Led::Overtaken);
        }
        Err(Error::signed_out(REFRESH)
            .message(format!(
                "{reason}, so the session has ended; the user must sign in again"
            ))
            .with_source(reason))
    }

    /// Says in the entry that its refresh token is about to be sent; none where another version is there.
    async fn mark_sent(&self, old: &TokenSet, seen: Version) -> Result<Option<Version>> {
        let keys = self.session.fresh_keys().await?;
        let entry = self.session.entry(Value::sent(old)?, &keys)?;
        let marked = entry.version();
        let options = WriteOptions::at(keys.latest).over(Over::Version(seen));
        let at = self.session.address(&keys, &self.spent);
        let store = self.session.cache().store();
        let written = store.write(&at, entry, options).await?;
        Ok((written == Written::Stored).then_some(marked))
    }
}

fn not_refreshable() -> Error {
    Error::new(ErrorKind::NotRefreshable, REFRESH).message(
        "no refresh token is stored; put tokens that have one, or have the user sign in again",
    )
}

fn answer_lost() -> RefreshError {
    RefreshError::invalid_grant("the answer to an earlier refresh was lost")
}

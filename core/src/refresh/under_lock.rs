use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    RefreshError, RefreshErrorKind, RefreshRequest,
    answer::{Answer, ForAnother},
    call::{CallFailure, call},
    lock::Lock,
    revocation::{OVERTAKEN, is_new, revoke, warn_of_loss},
    task::{REFRESH, RefreshTask},
    tasks::{Pause, PauseAbout},
    write_back::write_back,
};
use crate::{
    Entry, EntryValue, Error, ErrorKind, PutMode, PutResult, Result, Timestamp, TokenSet, Version,
    WriteOptions,
    telemetry::{About, Operation, observe, warn},
};

/// The outcome for the owner of the lock.
pub(super) enum RefreshOutcome {
    /// The tokens are stored, and the same request has released the lock.
    Stored(TokenSet),
    /// The tokens are stored, and the lock is still held.
    StoredBeside(TokenSet),
    /// Another server or the app had stored tokens before.
    Settled(TokenSet),
    /// The entry has another version than the one that was sent, or the lease has nearly expired: read again.
    Overtaken,
}

impl RefreshTask {
    /// Refreshes under the lock, which guarantees that the entry still has the version `seen`.
    pub(super) async fn refresh_under_lock(
        &self,
        lock: &Lock,
        held_since: Instant,
        seen: Option<&Entry>,
    ) -> Result<RefreshOutcome> {
        let wanted = self.read_wanted(seen).await?;
        if !self.spends_itself()
            && let Some(tokens) = self.settled(wanted.as_ref()).await?
        {
            // Another caller's refresh has stored tokens for this entry, and the refresh token is unchanged.
            return Ok(RefreshOutcome::Settled(tokens));
        }
        let old = seen.map(Entry::tokens).transpose()?;
        let has_refresh_token = old
            .as_ref()
            .is_some_and(|old| old.refresh_token().is_some());
        if !has_refresh_token && !self.options.without_refresh_token {
            return Err(not_refreshable());
        }
        let (mut version, mut held_since) = (seen.map(Entry::version), Some(held_since));
        let mut marked = None;
        if self.marks_what_it_sends()
            && let (Some(seen), Some(old)) = (seen, &old)
        {
            if seen.is_sent() {
                warn(
                    "refresh_failed",
                    format_args!(
                        "the answer to an earlier refresh was lost, so its refresh token is not sent again and the session ends",
                    ),
                );
                return self.end_session(lock, seen.version(), answer_lost()).await;
            }
            marked = self.mark_sent(old, seen.version()).await?;
            if marked.is_none() {
                return Ok(RefreshOutcome::Overtaken);
            }
            // Recording that the token is sent writes a new version, which releases the lock on some stores.
            (version, held_since) = (marked, None);
        }
        let sent_at = match self.ready(lock, version, held_since).await {
            Ok(Some(sent_at)) => sent_at,
            not_sent => {
                if let (Some(old), Some(marked)) = (&old, marked) {
                    self.unmark(old, marked).await;
                }
                return not_sent.map(|_| RefreshOutcome::Overtaken);
            }
        };
        let mut request = RefreshRequest::new(old, sent_at);
        request.resource.clone_from(&self.options.resource);
        request.scopes.clone_from(&self.options.scopes);
        let ask = async {
            let call = call(&self.source, request.clone(), lock, version, &self.policy);
            Ok(Answer::of(call.await?, &request))
        };
        let answer = observe(
            Operation::CallProvider,
            About::default(),
            ask,
            |_| "answered",
        );
        match answer.await {
            Ok(answer) => {
                let wanted = wanted.as_ref();
                self.store(lock, answer, request.tokens, version, wanted)
                    .await
            }
            Err(CallFailure::Panicked) => {
                warn(
                    "refresh_failed",
                    format_args!(
                        "the token source panicked; the stored tokens stay as they are; fix the panic"
                    ),
                );
                Err(Error::new(ErrorKind::Unexpected, REFRESH)
                    .message("the token source panicked; the old tokens stay as they are"))
            }
            Err(CallFailure::Provider(error)) => {
                self.refused(lock, error, request.tokens, version).await
            }
        }
    }

    /// Returns the time just before the call, with the lock held for the version to send, or `None` if the lock cannot be held.
    async fn ready(
        &self,
        lock: &Lock,
        version: Option<Version>,
        held_since: Option<Instant>,
    ) -> Result<Option<Timestamp>> {
        let sent_at = self.session.fresh_keys().await?.earliest;
        let is_held = held_since.is_some_and(|since| since.elapsed() <= self.policy.lease / 2);
        let is_ready = is_held || lock.keep(version).await?;
        Ok(is_ready.then_some(sent_at))
    }

    /// Writes the provider's tokens over the version that was sent.
    async fn store(
        &self,
        lock: &Lock,
        answer: Answer,
        old: Option<TokenSet>,
        sent: Option<Version>,
        wanted: Option<&Entry>,
    ) -> Result<RefreshOutcome> {
        let minted = answer.refresh_token().cloned();
        let stored = self.write(lock, answer, old.as_ref(), sent, wanted).await;
        match (&stored, minted) {
            (Err(error), Some(minted)) if error.is_signed_out() => {
                // The sign-out is final whether the provider revokes the token or not.
                let _ = revoke(&self.session, &self.source, minted).await;
            }
            (Err(error), minted) if error.kind() == ErrorKind::TooLarge => {
                self.too_large(error, minted, old, sent).await;
            }
            (Err(error), Some(_)) => warn_of_loss(&format_args!("the store failed: {error}")),
            (Ok(RefreshOutcome::Overtaken), Some(minted)) if is_new(&minted, old.as_ref()) => {
                warn_of_loss(&OVERTAKEN);
            }
            _ => {}
        }
        stored
    }

    /// Handles an answer that the store cannot take. The refresh token that was sent may be spent, so the new one is stored
    /// alone, or else revoked.
    async fn too_large(
        &self,
        error: &Error,
        minted: Option<SecretString>,
        old: Option<TokenSet>,
        sent: Option<Version>,
    ) {
        warn(
            "refresh_failed",
            format_args!(
                "the provider's answer to a refresh cannot be stored: {error}; the stored access token stays as it is",
            ),
        );
        match (minted, old, sent) {
            (Some(minted), Some(old), Some(sent)) => {
                // The caller gets the error of this call.
                let _ = self.rotate(&old, minted, sent).await;
            }
            (Some(minted), ..) => {
                let _ = revoke(&self.session, &self.source, minted).await;
            }
            (None, Some(old), Some(sent)) if self.marks_what_it_sends() => {
                // The answer was not lost, so the token may be sent again.
                self.unmark(&old, sent).await;
            }
            (None, ..) => {}
        }
    }

    async fn write(
        &self,
        lock: &Lock,
        answer: Answer,
        old: Option<&TokenSet>,
        sent: Option<Version>,
        found: Option<&Entry>,
    ) -> Result<RefreshOutcome> {
        let mode = sent.map_or(PutMode::Create, PutMode::Update);
        if self.spends_itself() {
            let tokens = answer.for_itself(old);
            let value = EntryValue::try_from(&tokens)?;
            let written = write_back(&self.session, &self.wanted, value, mode, Some(lock.owner()));
            return Ok(match written.await? {
                Some(_) => RefreshOutcome::Stored(tokens),
                None => RefreshOutcome::Overtaken,
            });
        }
        let Some(old) = old else {
            // No refresh token was spent. Only the lock of the other entry was used.
            return self.write_wanted(answer.for_itself(None), found).await;
        };
        let ForAnother {
            spent: rotated,
            wanted,
        } = answer.for_another(old);
        // With `AfterLostAnswer::EndSession`, an unchanged token is written too, to remove the record that it was sent.
        let kept = rotated.or_else(|| self.marks_what_it_sends().then(|| old.clone()));
        // The refresh token cannot be obtained again, so it is stored first.
        if let Some(kept) = &kept {
            let value = EntryValue::try_from(kept)?;
            let written = write_back(&self.session, &self.spent, value, mode, None);
            let Some(version) = written.await? else {
                return Ok(RefreshOutcome::Overtaken);
            };
            // Without the lock, a waiting server would not find the requested tokens yet, and would refresh them again.
            lock.follow(version).await;
        }
        self.write_wanted(wanted, found).await
    }

    /// Writes the requested entry, whose tokens were refreshed under the lock of another, over the version `found` before the
    /// call. A put or removal in between is preserved. An entry that has expired in between was not removed.
    async fn write_wanted(
        &self,
        wanted: TokenSet,
        found: Option<&Entry>,
    ) -> Result<RefreshOutcome> {
        let write = |mode| {
            let value = EntryValue::try_from(&wanted);
            async move { write_back(&self.session, &self.wanted, value?, mode, None).await }
        };
        let mode = found.map_or(PutMode::Create, |found| PutMode::Update(found.version()));
        if write(mode).await?.is_none()
            && let Some(found) = found
            && found.is_expired(self.session.fresh_keys().await?.latest)
        {
            write(PutMode::Create).await?;
        }
        Ok(RefreshOutcome::StoredBeside(wanted))
    }

    /// Handles a failure of the provider, which may end the session.
    async fn refused(
        &self,
        lock: &Lock,
        error: RefreshError,
        old: Option<TokenSet>,
        sent: Option<Version>,
    ) -> Result<RefreshOutcome> {
        let ends = sent.filter(|_| error.kind() == RefreshErrorKind::InvalidGrant);
        let follows = match error.kind() {
            _ if ends.is_some() => {
                "the session ends, unless other tokens have been stored meanwhile"
            }
            RefreshErrorKind::Transient => "it is tried again after a pause",
            RefreshErrorKind::InteractionRequired => {
                "the session continues, and the app must send the user to the provider"
            }
            RefreshErrorKind::InvalidGrant | RefreshErrorKind::Refused => {
                "the session continues; check the client id, the client secret and what the app requests"
            }
            RefreshErrorKind::Malformed => "the session continues; check the token endpoint",
        };
        warn(
            "refresh_failed",
            format_args!("a refresh of tokens at the provider failed: {error}; {follows}"),
        );
        if let Some(sent) = ends {
            return self.end_session(lock, sent, error).await;
        }
        let mut left = sent;
        if let (Some(new), Some(old), Some(sent)) = (error.new_refresh_token(), &old, sent) {
            left = self.rotate(old, new.clone(), sent).await?;
        } else if self.marks_what_it_sends()
            && !error.is_answer_lost()
            && let (Some(old), Some(sent)) = (&old, sent)
        {
            // The provider has answered, so the token may be sent again. If this fails, the next refresh ends the session.
            left = self.unmark(old, sent).await;
        }
        let kind = match error.kind() {
            RefreshErrorKind::Transient => ErrorKind::ProviderUnavailable,
            RefreshErrorKind::Malformed => ErrorKind::ProviderMalformed,
            RefreshErrorKind::InteractionRequired => ErrorKind::InteractionRequired,
            RefreshErrorKind::Refused | RefreshErrorKind::InvalidGrant => {
                ErrorKind::ProviderRefused
            }
        };
        let about = match error.kind() {
            RefreshErrorKind::Transient | RefreshErrorKind::Malformed => PauseAbout::RefreshToken,
            _ => PauseAbout::Wanted(self.name.wanted),
        };
        let until = Instant::now() + self.policy.pause_after(&error);
        let error = Error::new(kind, REFRESH)
            .message(error.to_string())
            .with_source(error);
        let pause = Pause {
            until,
            error: error.clone(),
            version: left,
        };
        self.session
            .cache()
            .refreshes()
            .pause(self.name, about, pause);
        Err(error)
    }

    /// Stores a new refresh token beside the old access token, because the provider has spent the token that was sent. Returns
    /// the stored version, if it is this one. A new token that cannot be stored is revoked.
    async fn rotate(
        &self,
        old: &TokenSet,
        new: SecretString,
        sent: Version,
    ) -> Result<Option<Version>> {
        let value = EntryValue::try_from(&old.clone().with_refresh_token(new.expose_secret()))?;
        let mode = PutMode::Update(sent);
        let written = write_back(&self.session, &self.spent, value, mode, None).await;
        match &written {
            Err(error) if error.is_signed_out() || error.kind() == ErrorKind::TooLarge => {
                // The error is returned whether the provider revokes the token or not.
                let _ = revoke(&self.session, &self.source, new).await;
            }
            Err(error) => warn_of_loss(&format_args!("the store failed: {error}")),
            Ok(None) if is_new(&new, Some(old)) => warn_of_loss(&OVERTAKEN),
            Ok(_) => {}
        }
        written
    }

    /// Ends the session, unless other tokens were put in between.
    async fn end_session(
        &self,
        lock: &Lock,
        sent: Version,
        reason: RefreshError,
    ) -> Result<RefreshOutcome> {
        if !lock.end_session_if(sent).await? {
            return Ok(RefreshOutcome::Overtaken);
        }
        Err(Error::signed_out(REFRESH)
            .message(format!(
                "{reason}, so the session has ended; the user must sign in again"
            ))
            .with_source(reason))
    }

    /// Records in the entry that its refresh token is about to be sent. Returns `None` if the entry has another version.
    async fn mark_sent(&self, old: &TokenSet, seen: Version) -> Result<Option<Version>> {
        let keys = self.session.fresh_keys().await?;
        let entry = self.session.entry(EntryValue::sent(old)?, &keys)?;
        let marked = entry.version();
        let options = WriteOptions::at(keys.latest)
            .mode(PutMode::Update(seen))
            .durable();
        let written = self
            .session
            .write_entry(&keys, &self.spent, &entry, options)
            .await?;
        Ok((written == PutResult::Stored).then_some(marked))
    }

    /// Removes the record of [`mark_sent`](Self::mark_sent), and returns the new version if that succeeded.
    async fn unmark(&self, old: &TokenSet, marked: Version) -> Option<Version> {
        let value = EntryValue::try_from(old).ok()?;
        let mode = PutMode::Update(marked);
        let written = write_back(&self.session, &self.spent, value, mode, None).await;
        written.ok().flatten()
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

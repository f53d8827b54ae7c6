use std::sync::Arc;

use tokio::time::Instant;

use super::{
    RefreshOptions, TokenSource,
    freshness::{Freshness, is_valid},
    task::RefreshTask,
    tasks::{self, Pause, PauseAbout, RefreshKey},
};
use crate::{Entry, EntryKey, Error, ErrorKind, Result, Session, TokenSet, telemetry::waiting};

impl Session {
    /// Returns the tokens under `key`. If the tokens are due, it gets new ones from `source` first, and stores them. Tokens are due if they
    /// have expired or expire within five seconds (within a twentieth of their lifetime, if that is shorter).
    ///
    /// Fresh tokens cost one request, or none on a near-cache hit. Tokens that are due are refreshed by one server, and all other callers
    /// wait for its result. Across all app servers, one refresh at a time sends the refresh token of an entry to the provider (G6). The
    /// refresh continues if the caller is dropped.
    ///
    /// Tokens in the last tenth of their lifetime are returned as they are, and refreshed in the background. For tokens of unknown
    /// lifetime, the last 30 seconds before their expiry count as the last tenth. If a refresh fails because the provider or the store is
    /// unavailable, the old access token is returned while it is valid.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session has ended. If it ended during the call to the provider, no token is stored
    ///   (G2), and the cache tries to revoke the new refresh token.
    /// - [`SignedOut`](ErrorKind::SignedOut) also if the provider answered `invalid_grant`: the session ends then.
    ///   [`refresh_error`](crate::Error::refresh_error) returns the provider's failure.
    /// - [`NotRefreshable`](ErrorKind::NotRefreshable) if the tokens are missing or due, and no refresh token is stored.
    /// - [`ProviderUnavailable`](ErrorKind::ProviderUnavailable) if the provider cannot answer and the tokens have expired.
    ///   [`retry_after`](crate::Error::retry_after) may return when to try again.
    /// - [`InteractionRequired`](ErrorKind::InteractionRequired) if the provider requires an action of the user first. The session
    ///   continues, and [`refresh_error`](crate::Error::refresh_error) has the provider's claims challenge.
    /// - [`ProviderRefused`](ErrorKind::ProviderRefused) if the provider refuses this app, and
    ///   [`ProviderMalformed`](ErrorKind::ProviderMalformed) if its answer is not a token response. The old tokens stay stored. A new
    ///   refresh token in such an answer replaces the old one.
    /// - [`TooLarge`](ErrorKind::TooLarge) if the new tokens are over the store's limit. The new refresh token is stored with the old
    ///   access token. If that is impossible too, the new refresh token is revoked.
    /// - [`Unexpected`](ErrorKind::Unexpected) if the token source panicked.
    /// - [`TimedOut`](ErrorKind::TimedOut) if another server has been refreshing the tokens for longer than the
    ///   [`provider_timeout`](crate::RefreshPolicy::provider_timeout) plus twice the [`lease`](crate::RefreshPolicy::lease), 50 seconds by
    ///   default.
    /// - [`Corrupt`](ErrorKind::Corrupt) if the entry under the key is not a token set.
    /// - [`KeyMissing`](ErrorKind::KeyMissing) if this server's key ring lacks the key that the entry was encrypted under.
    /// - The errors of the store, which are never reported as a missing entry (G4).
    ///
    /// After an error of the provider, later calls on this server get the same error for a while, without another call to the provider.
    /// [`RefreshPolicy::pause`](crate::RefreshPolicy::pause) sets this time.
    pub async fn get_or_refresh(
        &self,
        key: &EntryKey,
        source: impl TokenSource,
    ) -> Result<TokenSet> {
        self.get_or_refresh_with(key, source, RefreshOptions::new())
            .await
    }

    /// Returns the tokens under `key`, and refreshes them if they are due, like [`get_or_refresh`](Self::get_or_refresh) with `options`.
    /// The options set the resource, the scopes, the entry whose refresh token is sent, and an access token that a resource has rejected.
    ///
    /// # Errors
    /// As [`get_or_refresh`](Self::get_or_refresh).
    pub async fn get_or_refresh_with(
        &self,
        key: &EntryKey,
        source: impl TokenSource,
        options: RefreshOptions,
    ) -> Result<TokenSet> {
        let read = self.get(key).await?;
        let tokens = read.as_ref().map(Entry::tokens).transpose()?;
        let is_rejected = tokens
            .as_ref()
            .is_some_and(|tokens| options.rejects(tokens));
        let keys = self.fresh_keys().await?;
        let (_, session_id) = self.names();
        let name = RefreshKey {
            session_id: *session_id,
            spent: keys.id_key.entry(options.spends.as_ref().unwrap_or(key)),
            wanted: keys.id_key.entry(key),
            rejected: read.as_ref().filter(|_| is_rejected).map(Entry::version),
        };
        let refreshes = self.cache().refreshes();
        let lifetime = tokens
            .as_ref()
            .and_then(|tokens| options.default_lifetime(tokens, refreshes.policy()));
        let spends = options.spends.clone();
        let task = || RefreshTask::new(self.clone(), key, Arc::new(source), options, name);
        let paused = async || self.paused(name, spends.as_ref(), read.as_ref()).await;
        let Some(tokens) = tokens else {
            if let Some(error) = paused().await? {
                return Err(error);
            }
            let pending = self
                .cache()
                .start_refresh(name, || task().run(read, false))?;
            return waiting(tasks::result(pending)).await;
        };
        let freshness = match Freshness::of(&tokens, keys.latest, lifetime) {
            _ if is_rejected => Freshness::Due,
            freshness => freshness,
        };
        match freshness {
            Freshness::Fresh => Ok(tokens),
            Freshness::Ageing => {
                if paused().await?.is_none()
                    && let Some(permit) = refreshes.background()
                {
                    let ahead = || {
                        let task = task().run(read, true);
                        async move {
                            let _permit = permit;
                            task.await
                        }
                    };
                    self.cache().start_refresh(name, ahead)?;
                }
                Ok(tokens)
            }
            Freshness::Due => {
                let outcome = if let Some(error) = paused().await? {
                    Err(error)
                } else {
                    let pending = self
                        .cache()
                        .start_refresh(name, || task().run(read, false))?;
                    waiting(tasks::result(pending)).await
                };
                match outcome {
                    Err(error)
                        if !is_rejected
                            && is_transient(error.kind())
                            && is_valid(&tokens, self.fresh_keys().await?.latest) =>
                    {
                        Ok(tokens)
                    }
                    Ok(new) if is_rejected => {
                        let pause = Pause {
                            until: Instant::now() + refreshes.policy().pause,
                            error: rejected_again(),
                            version: name.rejected,
                        };
                        refreshes.pause(name, PauseAbout::Rejected(name.wanted), pause);
                        Ok(new)
                    }
                    outcome => outcome,
                }
            }
        }
    }

    /// Returns the error of the provider's pause for a refresh, or `None` if there is no pause. A pause ends when the refresh
    /// token that failed has been replaced, by another server's refresh or by the app.
    async fn paused(
        &self,
        name: RefreshKey,
        spends: Option<&EntryKey>,
        read: Option<&Entry>,
    ) -> Result<Option<Error>> {
        let refreshes = self.cache().refreshes();
        let Some((about, pause)) = refreshes.paused(name) else {
            return Ok(refreshes.rejected_again(name));
        };
        let found = match spends {
            Some(key) if name.spent != name.wanted => self.get(key).await?,
            _ => read.cloned(),
        };
        let found = found.as_ref().map(Entry::version);
        let is_replaced = pause
            .version
            .zip(found)
            .is_some_and(|(failed, found)| failed != found);
        if is_replaced {
            refreshes.end_pause(name, about);
            return Ok(None);
        }
        Ok(Some(pause.error))
    }
}

fn rejected_again() -> Error {
    Error::new(ErrorKind::ProviderRefused, "refresh tokens").message(
        "the resource rejected an access token that had just been refreshed, so another refresh would not help; \
         check the resource, the audience and the scopes that the app requests",
    )
}

/// Returns `true` if the refresh failed for a reason that does not concern the old tokens.
fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ProviderUnavailable
            | ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Throttled
    )
}

use std::sync::Arc;

use super::{
    RefreshOptions, TokenSource,
    flight::Flight,
    flights::{self, FlightName},
    freshness::{Freshness, is_valid},
};
use crate::{Entry, EntryKey, ErrorKind, Result, Session, TokenSet, telemetry::waiting};

impl Session {
    /// The tokens under a key, refreshed first where they are due: one refresh in the whole fleet (G6).
    ///
    /// Tokens that are fresh cost one request. Due ones are refreshed by one server, whoever else asks waits for what it gets; the
    /// refresh goes on if the caller goes away. Tokens in the last tenth of their life are answered as they are, and refreshed
    /// in the background.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) where the session has ended, also while the provider was asked (G1, G2): the new
    ///   refresh token is revoked then. And where the provider answered `invalid_grant`: the session ends, and the error's
    ///   source is the [`RefreshError`](crate::RefreshError).
    /// - [`NotRefreshable`](ErrorKind::NotRefreshable) where there are no tokens, or due ones without a refresh token.
    /// - [`ProviderUnavailable`](ErrorKind::ProviderUnavailable) where the provider can't answer and the tokens have expired;
    ///   [`retry_after`](crate::Error::retry_after) may say when to ask again. While the old tokens are valid they are
    ///   answered instead.
    /// - [`ProviderRefused`](ErrorKind::ProviderRefused) and [`ProviderMalformed`](ErrorKind::ProviderMalformed), and nothing
    ///   stored; [`TooLarge`](ErrorKind::TooLarge) for an answer over the store's limit;
    ///   [`Unexpected`](ErrorKind::Unexpected) where the source panicked.
    /// - [`TimedOut`](ErrorKind::TimedOut) where another server has been refreshing for too long.
    /// - [`Corrupt`](ErrorKind::Corrupt) where something else than tokens is under the key;
    ///   [`KeyMissing`](ErrorKind::KeyMissing) for an entry under a key that this server's ring lacks; the store's own
    ///   failures, never as a miss (G4).
    pub async fn get_or_refresh(
        &self,
        key: &EntryKey,
        source: impl TokenSource,
    ) -> Result<TokenSet> {
        self.get_or_refresh_with(key, source, RefreshOptions::new())
            .await
    }

    /// [`get_or_refresh`](Self::get_or_refresh) of what `options` say, by the refresh token of the entry they name.
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
        let keys = self.fresh_keys().await?;
        let (_, epoch) = self.names();
        let name = FlightName {
            epoch: *epoch,
            spent: keys.id_key.entry(options.spends.as_ref().unwrap_or(key)),
            wanted: keys.id_key.entry(key),
        };
        let refreshes = self.cache().refreshes();
        let paused = || {
            let found = read.as_ref().filter(|_| name.spent == name.wanted);
            refreshes.paused(name, found.map(Entry::version))
        };
        let flight = || Flight::new(self.clone(), key, Arc::new(source), options, name);
        let Some(tokens) = tokens else {
            if let Some(error) = paused() {
                return Err(error);
            }
            let landing = self.cache().fly(name, || flight().run(read, false))?;
            return waiting(flights::result(landing)).await;
        };
        match Freshness::of(&tokens, keys.latest) {
            Freshness::Fresh => Ok(tokens),
            Freshness::Ageing => {
                if paused().is_none()
                    && let Some(permit) = refreshes.background()
                {
                    let ahead = || {
                        let flight = flight().run(read, true);
                        async move {
                            let _permit = permit;
                            flight.await
                        }
                    };
                    self.cache().fly(name, ahead)?;
                }
                Ok(tokens)
            }
            Freshness::Due => {
                let outcome = if let Some(error) = paused() {
                    Err(error)
                } else {
                    let landing = self.cache().fly(name, || flight().run(read, false))?;
                    waiting(flights::result(landing)).await
                };
                match outcome {
                    Err(error)
                        if is_transient(error.kind())
                            && is_valid(&tokens, self.fresh_keys().await?.latest) =>
                    {
                        Ok(tokens)
                    }
                    outcome => outcome,
                }
            }
        }
    }
}

/// The refresh failed for a reason that says nothing about the old tokens.
fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ProviderUnavailable
            | ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Throttled
    )
}

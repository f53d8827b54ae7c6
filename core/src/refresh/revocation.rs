use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tokio::{task::JoinHandle, time};

use super::{RefreshError, Revocation, TokenSource};
use crate::{
    Entry, EntryKey, ReadOptions, Result, Session, SignOut, SignOutScopeKind, TokenSet, Wait,
    telemetry::{About, Operation, in_current_span, observe, warn},
};

/// Revokes a refresh token that belongs to no session: a sign-out ended its session, or the store cannot take it. It takes a
/// limited time. It is skipped if it would end other sessions of the account as well.
pub(super) async fn revoke(
    session: &Session,
    source: &Arc<dyn TokenSource>,
    refresh_token: SecretString,
) -> Result<(), RefreshError> {
    let (account, _) = session.names();
    let about = About::account(account);
    let revoke = revoke_unless_shared(session, source, refresh_token);
    let revoked = observe(Operation::Revoke, about, revoke, |revoked| match revoked {
        Revoked::Yes => "revoked",
        Revoked::Spared => "spared",
    });
    let revoked = revoked.await.map(drop);
    if let Err(error) = &revoked {
        warn(
            "revocation_failed",
            format_args!(
                "a refresh token without a session could not be revoked: {error}; the sign-out, if there was one, is final nevertheless, \
                 and the token stays valid at the provider until it expires there",
            ),
        );
    }
    revoked
}

enum Revoked {
    Yes,
    /// Revoking would have ended another session of the account.
    Spared,
}

async fn revoke_unless_shared(
    session: &Session,
    source: &Arc<dyn TokenSource>,
    refresh_token: SecretString,
) -> Result<Revoked, RefreshError> {
    if source.revocation() == Revocation::Grant && lives_elsewhere(session).await {
        return Ok(Revoked::Spared);
    }
    let source = Arc::clone(source);
    let call = tokio::spawn(in_current_span(async move {
        source.revoke(refresh_token).await
    }));
    let asking = call.abort_handle();
    let timeout = session.cache().refreshes().policy().revocation_timeout;
    match time::timeout(timeout, call).await {
        Ok(Ok(revoked)) => revoked.map(|()| Revoked::Yes),
        Ok(Err(_)) => Err(RefreshError::refused("the token source panicked")),
        Err(_) => {
            asking.abort();
            Err(RefreshError::transient(format!(
                "the provider did not answer within {timeout:?}"
            )))
        }
    }
}

/// Returns `true` also if it is unknown: a grant that remains is the lesser harm.
async fn lives_elsewhere(session: &Session) -> bool {
    let Ok(keys) = session.cache().fresh_keys().await else {
        return true;
    };
    let (account, ended) = session.names();
    let store = session.cache().store();
    let sessions = store.sessions(account, ReadOptions::at(keys.latest)).await;
    sessions.map_or(true, |living| {
        living.iter().any(|session| session.session_id != *ended)
    })
}

/// The reason why a refresh token was not stored.
pub(super) const OVERTAKEN: &str = "other tokens were stored in the meantime";

/// Returns `true` for a refresh token that is not the one that was sent: some providers return the same one.
pub(super) fn is_new(minted: &SecretString, old: Option<&TokenSet>) -> bool {
    let sent = old.and_then(TokenSet::refresh_token);
    sent.is_none_or(|sent| sent.expose_secret() != minted.expose_secret())
}

/// Logs the loss of a refresh token whose session lives. Revoking it could end the session's other tokens: many providers revoke
/// all tokens of one sign-in together.
pub(super) fn warn_of_loss(why: &dyn fmt::Display) {
    warn(
        "refresh_token_lost",
        format_args!(
            "a refresh token from the provider was not stored, because {why}. It is not revoked, since the provider could end the \
             session's other tokens with it, and it stays valid there until it expires",
        ),
    );
}

/// The revocation of a refresh token at the provider, which continues in the background after a sign-out. [`Session::sign_out_and_revoke`]
/// returns it.
///
/// The revocation also continues if the `Revoking` is dropped. Call [`outcome`](Self::outcome) to wait until the revocation has ended, for
/// example before the process ends.
pub struct Revoking(Option<JoinHandle<Result<(), RefreshError>>>);

impl Revoking {
    /// Waits until the revocation has ended, and returns its result. The provider has at most the
    /// [`revocation_timeout`](super::RefreshPolicy::revocation_timeout) to answer. With [`Revocation::Grant`], the cache first asks the
    /// store for other living sessions of the account.
    ///
    /// Returns `Ok` if the provider revoked the refresh token. It also returns `Ok` if no refresh token was sent to the provider:
    /// - The session had no refresh token under the key, or had ended already.
    /// - The refresh token could not be read. The failed read is logged.
    /// - The token source revokes nothing ([`Revocation::None`]).
    /// - The revocation could have ended another session of the account ([`Revocation::Grant`]).
    ///
    /// # Errors
    /// - The error of the token source.
    /// - [`Transient`](super::RefreshErrorKind::Transient) if the provider did not answer within the `revocation_timeout`, or if the tokio
    ///   runtime shut down.
    /// - [`Refused`](super::RefreshErrorKind::Refused) if the token source panicked.
    ///
    /// The sign-out is final also after an error.
    pub async fn outcome(self) -> Result<(), RefreshError> {
        match self.0 {
            None => Ok(()),
            Some(task) => task.await.unwrap_or_else(|_| {
                Err(RefreshError::transient(
                    "the revocation panicked, or was stopped when the tokio runtime shut down",
                ))
            }),
        }
    }
}

impl Session {
    /// Ends the sessions of `scope`, like [`sign_out_with`](Self::sign_out_with). Then revokes the refresh token that this
    /// session has under `key`, at the provider whose client is `source`.
    ///
    /// The method reads the refresh token, signs out, starts the revocation, and returns. The revocation continues in the background: see
    /// [`Revoking`].
    ///
    /// No refresh token is revoked in these cases:
    /// - [`TokenSource::revocation`] returns [`Revocation::None`].
    /// - [`TokenSource::revocation`] returns [`Revocation::Grant`], and another session of the account lives, or the store cannot tell.
    /// - The entry under `key` is missing, or has no refresh token.
    /// - This session has ended already.
    /// - The refresh token cannot be read. The failed read is logged, and the sign-out continues.
    ///
    /// If `scope` ends other sessions too, their refresh tokens are not revoked: reading them needs the tickets of those sessions.
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`](crate::TokenCache::sign_out). After an error, nothing is revoked.
    pub async fn sign_out_and_revoke(
        &self,
        scope: SignOutScopeKind,
        key: &EntryKey,
        source: impl TokenSource,
    ) -> Result<(SignOut, Revoking)> {
        self.sign_out_and_revoke_with(scope, key, source, Wait::Everywhere)
            .await
    }

    /// Ends sessions and revokes a refresh token like [`sign_out_and_revoke`](Self::sign_out_and_revoke), and lets the caller choose
    /// whether to wait for other servers' near caches. With [`Wait::Everywhere`], it waits, as `sign_out_and_revoke` does. With
    /// [`Wait::None`], it can return before the sign-out is final.
    ///
    /// # Errors
    /// As [`sign_out_and_revoke`](Self::sign_out_and_revoke).
    pub async fn sign_out_and_revoke_with(
        &self,
        scope: SignOutScopeKind,
        key: &EntryKey,
        source: impl TokenSource,
        wait: Wait,
    ) -> Result<(SignOut, Revoking)> {
        let wanted = source.revocation() != Revocation::None;
        let refresh_token = if wanted {
            self.refresh_token(key).await
        } else {
            None
        };
        let (session, source) = (self.clone(), Arc::new(source) as Arc<dyn TokenSource>);
        // One task, so that the revocation follows the eviction also if the caller is dropped in between.
        let both = async move {
            let signed_out = session.sign_out_with(scope, wait).await?;
            let revoking = refresh_token.map(|refresh_token| {
                tokio::spawn(in_current_span(async move {
                    revoke(&session, &source, refresh_token).await
                }))
            });
            Ok((signed_out, Revoking(revoking)))
        };
        self.cache().run_detached("sign out", both).await
    }

    /// Returns the refresh token to revoke. If it cannot be read, the sign-out continues without it, and the failure is logged.
    async fn refresh_token(&self, key: &EntryKey) -> Option<SecretString> {
        let read = match self.get(key).await {
            Ok(entry) => entry.as_ref().map(Entry::tokens).transpose(),
            Err(error) => Err(error),
        };
        match read {
            Ok(tokens) => tokens?.refresh_token().cloned(),
            Err(error) if error.is_signed_out() => None,
            Err(error) => {
                warn(
                    "revocation_failed",
                    format_args!(
                        "the refresh token to revoke at a sign-out cannot be read, and stays valid at the provider: {error}"
                    ),
                );
                None
            }
        }
    }
}

impl fmt::Debug for Revoking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Revoking").field(&self.0.is_some()).finish()
    }
}

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tokio::{task::JoinHandle, time};

use super::{RefreshError, Revocation, TokenSource};
use crate::{
    Entry, EntryKey, ReadOptions, Result, Session, SignOut, SignOutScope, TokenSet, Wait,
    telemetry::{About, Operation, in_current_span, observe, warn},
};

/// Revokes a refresh token that no session has: a sign-out ended its session, or the store cannot take it. It takes a limited time, and
/// is not done where it would end other sessions of the account as well.
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
                "a refresh token that no session has could not be revoked: {error}; a sign-out stands all the same, and the token stays \
                 valid at the provider until it expires there",
            ),
        );
    }
    revoked
}

enum Revoked {
    Yes,
    /// It would have taken another session of the account with it.
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

/// True also where that can't be told: a grant that is left is the lesser harm.
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

/// Why a refresh token was not stored.
pub(super) const OVERTAKEN: &str = "other tokens were stored in the meantime";

/// True for a refresh token that is not the one that was sent: some providers send it back as it was.
pub(super) fn is_new(minted: &SecretString, old: Option<&TokenSet>) -> bool {
    let sent = old.and_then(TokenSet::refresh_token);
    sent.is_none_or(|sent| sent.expose_secret() != minted.expose_secret())
}

/// Logs the loss of a refresh token of a session that lives. Revoking it could end the tokens that the session has: many providers
/// revoke all tokens of one sign-in together.
pub(super) fn warn_of_loss(why: &dyn fmt::Display) {
    warn(
        "refresh_token_lost",
        format_args!(
            "a refresh token that the provider gave was not stored, because {why}. It is not revoked, since the provider could end the \
             session's other tokens with it, and it stays valid there until it expires",
        ),
    );
}

/// The revocation that goes on after a sign-out: await it, or drop it and it goes on all the same.
pub struct Revoking(Option<JoinHandle<Result<(), RefreshError>>>);

impl Revoking {
    /// Waits for the provider's answer; `Ok` where there was nothing to revoke. It takes the policy's revocation timeout at
    /// the most.
    ///
    /// # Errors
    /// The source's own. The sign-out stands whatever becomes of it.
    pub async fn outcome(self) -> Result<(), RefreshError> {
        match self.0 {
            None => Ok(()),
            Some(task) => task
                .await
                .unwrap_or_else(|_| Err(RefreshError::transient("stopped with the runtime"))),
        }
    }
}

impl Session {
    /// Signs out, and then revokes the refresh token under `key` at the provider, if `source` says so
    /// ([`TokenSource::revocation`]): after the eviction, and never instead of it.
    ///
    /// Only this session's token can be read: others' tickets are elsewhere. A token that can't be read is not revoked.
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`](crate::TokenCache::sign_out).
    pub async fn sign_out_and_revoke(
        &self,
        scope: SignOutScope,
        key: &EntryKey,
        source: impl TokenSource,
    ) -> Result<(SignOut, Revoking)> {
        self.sign_out_and_revoke_with(scope, key, source, Wait::Everywhere)
            .await
    }

    /// [`sign_out_and_revoke`](Self::sign_out_and_revoke), and whether it waits for other servers' near caches.
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`](crate::TokenCache::sign_out).
    pub async fn sign_out_and_revoke_with(
        &self,
        scope: SignOutScope,
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
        // The eviction and the revocation after it, also where the caller goes away between them.
        let both = async move {
            let signed_out = session.cache().sign_out_with(scope, wait).await?;
            let revoking = refresh_token.map(|refresh_token| {
                tokio::spawn(in_current_span(async move {
                    revoke(&session, &source, refresh_token).await
                }))
            });
            Ok((signed_out, Revoking(revoking)))
        };
        self.cache().in_own_task("sign out", both).await
    }

    /// Returns the refresh token to revoke. If it cannot be read, the sign-out goes on without it, and the log says so.
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
                        "the refresh token to revoke at a sign-out cannot be read, and stays good at the provider: {error}"
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

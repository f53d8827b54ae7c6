use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{
    EntryKey, RefreshError, RefreshRequest, Revocation, SecretString, Session, TokenSet,
    TokenSource,
};

use super::id_token::SessionIdToken;
use crate::{client::ClientRegistration, keys::Provider, routes::SignOutRoutes};

/// The client and the provider at which a user signs out.
pub(crate) struct LogoutTarget<'a> {
    pub(crate) client: &'a ClientRegistration,
    pub(crate) provider: &'a Provider,
    /// The ID token, if it was issued to this client. It is never sent to another provider.
    pub(crate) hint: Option<&'a SessionIdToken>,
    /// `true` if the session's tokens were issued to this client.
    owns_session: bool,
}

impl<'a> LogoutTarget<'a> {
    /// Returns the entry and the token source for revoking the refresh token. Returns `None` if the token may belong to
    /// another client.
    pub(crate) fn revocation(&self) -> Option<(EntryKey, Arc<dyn TokenSource>)> {
        self.client.revocation.clone().filter(|_| self.owns_session)
    }

    fn of((client, provider): (&'a ClientRegistration, &'a Provider)) -> Self {
        Self {
            client,
            provider,
            hint: None,
            owns_session: false,
        }
    }
}

impl SignOutRoutes {
    /// Returns the client that the ID token was issued to. Without an ID token it is a client of the account's issuer,
    /// or else the first client.
    pub(crate) fn logout_target<'a>(
        &'a self,
        session: Option<&Session>,
        hint: Option<&'a SessionIdToken>,
    ) -> LogoutTarget<'a> {
        if let Some(hint) = hint
            && let Some(given_to) = self.clients().find(|(client, _)| hint.is_issued_to(client))
        {
            return LogoutTarget {
                hint: Some(hint),
                owns_session: true,
                ..LogoutTarget::of(given_to)
            };
        }
        let is_of = |client: &ClientRegistration| {
            session.is_some_and(|session| session.is_of_issuer(&client.issuer).unwrap_or(false))
        };
        let mut candidates = self.clients().filter(|(client, _)| is_of(client));
        match (candidates.next(), candidates.next()) {
            (Some(client), other) => LogoutTarget {
                owns_session: other.is_none(),
                ..LogoutTarget::of(client)
            },
            // `build` requires at least one client.
            (None, _) => LogoutTarget {
                owns_session: self.0.clients.len() == 1,
                ..LogoutTarget::of((&self.0.clients[0], &self.0.providers[0]))
            },
        }
    }
}

/// The time between the redirect to the provider and the revocation. It counts toward the policy's revocation timeout.
const DELAY: Duration = Duration::from_secs(1);

/// A [`TokenSource`] that revokes after a delay, so that the browser reaches the provider first. Some providers notify
/// no other app of a sign-out if its tokens were revoked before.
pub(crate) struct DeferredRevocation(pub(crate) Arc<dyn TokenSource>);

#[async_trait]
impl TokenSource for DeferredRevocation {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        self.0.refresh(request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        tokio::time::sleep(DELAY).await;
        self.0.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.0.revocation()
    }
}

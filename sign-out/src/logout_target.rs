use std::sync::Arc;

use token_cache_core::{EntryKey, Session, TokenSource};

use crate::{ClientRegistration, SignOutRoutes, keys::Provider, session_id_token::SessionIdToken};

/// By which of the app's registrations a user leaves.
pub(crate) struct LogoutTarget<'a> {
    pub(crate) client: &'a ClientRegistration,
    pub(crate) provider: &'a Provider,
    /// The ID token, if it was given to this client: no provider sees another's.
    pub(crate) hint: Option<&'a SessionIdToken>,
    /// Whether the session's tokens are this client's.
    owns_session: bool,
}

impl<'a> LogoutTarget<'a> {
    /// What revokes the session's refresh token. Where it may be another client's, nothing does: it would be told to somebody that it
    /// is not for.
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
    /// The client that the ID token was given to; without one, a client of the account's issuer; the first, where nothing tells.
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
            // No routes are built without a client.
            (None, _) => LogoutTarget {
                owns_session: self.0.clients.len() == 1,
                ..LogoutTarget::of((&self.0.clients[0], &self.0.providers[0]))
            },
        }
    }
}

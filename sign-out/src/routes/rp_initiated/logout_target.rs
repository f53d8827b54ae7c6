use std::sync::Arc;

use token_cache_core::{EntryKey, Session, TokenSource};

use super::{super::SignOutRoutes, session_id_token::SessionIdToken};
use crate::{client::ClientRegistration, keys::Provider};

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

use std::sync::Arc;

use token_cache_core::{EntryKey, Session, TokenSource};

use crate::{Client, SignOutRoutes, id_token_hint::IdTokenHint, keys::Provider};

/// By which of the app's registrations a user leaves.
pub(crate) struct Leaving<'a> {
    pub(crate) client: &'a Client,
    pub(crate) provider: &'a Provider,
    /// The ID token, if it was given to this client: no provider sees another's.
    pub(crate) hint: Option<&'a IdTokenHint>,
    /// Whether the session's tokens are this client's.
    is_known: bool,
}

impl<'a> Leaving<'a> {
    /// What revokes the session's refresh token. Where it may be another client's, nothing does: it would be told to somebody that it
    /// is not for.
    pub(crate) fn revoking(&self) -> Option<(EntryKey, Arc<dyn TokenSource>)> {
        self.client.revoking.clone().filter(|_| self.is_known)
    }

    fn by((client, provider): (&'a Client, &'a Provider)) -> Self {
        Self {
            client,
            provider,
            hint: None,
            is_known: false,
        }
    }
}

impl SignOutRoutes {
    /// The client that the ID token was given to; without one, a client of the account's issuer; the first, where nothing tells.
    pub(crate) fn leaving<'a>(
        &'a self,
        session: Option<&Session>,
        hint: Option<&'a IdTokenHint>,
    ) -> Leaving<'a> {
        if let Some(hint) = hint
            && let Some(given_to) = self.clients().find(|(client, _)| hint.is_of(client))
        {
            return Leaving {
                hint: Some(hint),
                is_known: true,
                ..Leaving::by(given_to)
            };
        }
        let is_of = |client: &Client| {
            session.is_some_and(|session| session.is_of_issuer(&client.issuer).unwrap_or(false))
        };
        let mut fitting = self.clients().filter(|(client, _)| is_of(client));
        match (fitting.next(), fitting.next()) {
            (Some(fits), other) => Leaving {
                is_known: other.is_none(),
                ..Leaving::by(fits)
            },
            // No routes are built without a client.
            (None, _) => Leaving {
                is_known: self.0.clients.len() == 1,
                ..Leaving::by((&self.0.clients[0], &self.0.providers[0]))
            },
        }
    }
}

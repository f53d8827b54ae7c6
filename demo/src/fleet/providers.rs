use std::net::{Ipv4Addr, TcpListener};

use crate::{
    caches::CacheKind,
    failure::Failure,
    message::Registrations,
    oidc::Registration,
    server::{back_channel_path, redirect_uri},
};
use token_cache_dev_provider::{DevelopmentProvider, RegisteredClient, Settings};

const CLIENT_ID: &str = "shop";

/// A provider for each kind of cache, so that neither sees the other's apps.
#[derive(Debug)]
pub(super) struct Providers {
    token_cache: DevelopmentProvider,
    plain_cache: DevelopmentProvider,
}

impl Providers {
    /// Both, with the app of these three servers registered. The second server is told of sign-outs.
    pub(super) fn start(origins: &[String; 3]) -> Result<(Self, Registrations), Failure> {
        let [_, told, _] = origins;
        let start = |kind| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let client = RegisteredClient {
                id: CLIENT_ID.to_owned(),
                redirect_uris: origins.iter().map(|origin| redirect_uri(origin)).collect(),
                backchannel_logout_uri: Some(format!("{told}{}", back_channel_path(kind))),
                // Without a `sid`, a logout token is about all of the user's sessions.
                backchannel_logout_session_required: false,
                ..RegisteredClient::default()
            };
            Ok::<_, Failure>(DevelopmentProvider::start(
                listener,
                [client],
                Settings::default(),
            )?)
        };
        let both = Self {
            token_cache: start(CacheKind::TokenCache)?,
            plain_cache: start(CacheKind::PlainCache)?,
        };
        let registration = |kind| Registration {
            issuer: both.of(kind).issuer().to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: None,
            dead_grant_codes: Vec::new(),
            asks_for_offline_access: true,
        };
        let registrations = Registrations {
            token_cache: registration(CacheKind::TokenCache),
            plain_cache: registration(CacheKind::PlainCache),
        };
        Ok((both, registrations))
    }

    pub(super) fn of(&self, kind: CacheKind) -> &DevelopmentProvider {
        match kind {
            CacheKind::TokenCache => &self.token_cache,
            CacheKind::PlainCache => &self.plain_cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{CacheKind, Fleet, JsonLines, ServerCaches, tell};

    #[tokio::test]
    async fn the_tokens_of_what_is_refused_are_revoked_at_the_provider() {
        let fleet = Fleet::of_tasks(ServerCaches::in_memory().await.unwrap()).await;
        let fleet = fleet.unwrap();
        tell(&fleet, &mut JsonLines::new(Vec::new())).await.unwrap();
        let counts = |kind| fleet.provider(kind).counts();
        let (ours, plain) = (counts(CacheKind::TokenCache), counts(CacheKind::PlainCache));
        // Those of the refresh and of the sign-in that a sign-out overtakes.
        assert_eq!((ours.refreshes, ours.revocations), (1, 2));
        assert_eq!((plain.refreshes, plain.revocations), (1, 0));
        for counts in [ours, plain] {
            assert_eq!((counts.sign_outs, counts.reuses), (1, 0));
            assert_eq!(counts.back_channel_ok, 1);
        }
    }
}

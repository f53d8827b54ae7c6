use std::{
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
};

use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::{
    options::LogoutChannel,
    public_url::PublicUrl,
    shared::{ProviderPages, Shared},
    timeline::Kind,
};
use crate::{
    caches::random_text,
    failure::Failure,
    oidc::{Discovered, Registration},
};
use token_cache_dev_provider::{DevelopmentProvider, Event, RegisteredClient, Settings};

/// The provider at which users sign in: the reader's own, or the one for development.
#[derive(Debug)]
pub(crate) struct ProviderAtHand {
    registration: Registration,
    development: Option<DevelopmentProvider>,
}

const CLIENT_ID: &str = "token-cache-demo";

impl ProviderAtHand {
    pub(crate) fn of(
        external: Option<Registration>,
        public_url: &PublicUrl,
        origins: &[String],
        logout_channel: LogoutChannel,
    ) -> Result<Self, Failure> {
        if let Some(registration) = external {
            return Ok(Self {
                registration,
                development: None,
            });
        }
        if !public_url.is_plain() {
            return Err(Failure::new(
                "the built-in provider is for development, on this machine alone: for an https --public-url name a provider with --issuer",
            ));
        }
        let secret = random_text(32)?;
        let at = |path: &str| {
            origins
                .iter()
                .map(|origin| format!("{origin}{path}"))
                .collect()
        };
        let of_first = |path: &str| origins.first().map(|origin| format!("{origin}{path}"));
        let client = RegisteredClient {
            id: CLIENT_ID.to_owned(),
            secret: Some(secret.clone()),
            redirect_uris: at("/callback"),
            post_logout_redirect_uris: at("/signed-out"),
            backchannel_logout_uri: of_first("/backchannel-logout")
                .filter(|_| logout_channel != LogoutChannel::Front),
            backchannel_logout_session_required: true,
            frontchannel_logout_uri: of_first("/frontchannel-logout")
                .filter(|_| logout_channel != LogoutChannel::Back),
            frontchannel_logout_session_required: true,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let development = DevelopmentProvider::start(listener, [client], Settings::default())?;
        Ok(Self {
            registration: Registration {
                issuer: development.issuer().to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: Some(secret),
                dead_grant_codes: Vec::new(),
                asks_for_offline_access: true,
            },
            development: Some(development),
        })
    }

    pub(crate) const fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(crate) const fn is_for_development(&self) -> bool {
        self.development.is_some()
    }

    pub(crate) const fn for_development(&self) -> Option<&DevelopmentProvider> {
        self.development.as_ref()
    }

    pub(crate) fn pages(&self, discovered: &Discovered) -> ProviderPages {
        let issuer = self.registration.issuer.clone();
        let end_session = discovered.end_session_endpoint();
        let origins = Url::parse(&issuer).ok().into_iter();
        let mut origins: Vec<String> = origins
            .chain(end_session.cloned())
            .map(|url| url.origin().ascii_serialization())
            .collect();
        origins.dedup();
        let sign_out = if self.is_for_development() {
            Some(format!("{issuer}/"))
        } else {
            end_session.map(Url::to_string)
        };
        ProviderPages {
            issuer,
            is_for_development: self.is_for_development(),
            sign_out,
            origins,
        }
    }

    /// Adds the events of the development provider to the timeline.
    pub(crate) fn tell_of(&self, shared: &Arc<Shared>) {
        let Some(development) = &self.development else {
            return;
        };
        let mut events = development.events();
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => {
                        if let Some(text) = in_words(&event) {
                            shared.timeline.tell(None, Kind::Provider, text);
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                }
            }
        });
    }
}

/// Describes an event of the provider, or returns `None` if it is not worth a line.
fn in_words(event: &Event) -> Option<String> {
    Some(match event {
        Event::SignedIn { name, .. } => format!("The provider has signed {name} in."),
        Event::RefreshAnswered { .. } => {
            "The provider gives new tokens for a refresh token.".to_owned()
        }
        Event::Reused { .. } => {
            "A spent refresh token came again: the provider revokes the whole grant.".to_owned()
        }
        Event::Revoked { .. } => "A refresh token is revoked at the provider.".to_owned(),
        Event::SignedOut { name } => format!("The provider has signed {name} out."),
        Event::LogoutSent { attempt: 1, .. } => {
            "The provider tells the app by a back-channel logout token.".to_owned()
        }
        Event::LogoutSent { .. } => "The provider tells the app once more.".to_owned(),
        Event::LogoutAnswered {
            status: Some(status),
            ..
        } => format!("The app has answered the provider: {status}."),
        Event::LogoutAnswered { status: None, .. } => {
            "The app did not answer the provider in time.".to_owned()
        }
        Event::FrontChannelShown { .. } => {
            "The provider's page loads the app's front-channel logout in an iframe.".to_owned()
        }
        _ => return None,
    })
}

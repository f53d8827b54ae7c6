use token_cache::sign_out::{ClaimRequirement, FrontChannelParameters};

use super::public_url::PublicUrl;
use crate::{oidc::Registration, store_url::StoreUrl};

/// The options of the web app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    pub(crate) store: StoreUrl,
    pub(crate) public_url: PublicUrl,
    pub(crate) instances: u16,
    /// The provider, or `None` for the development provider.
    pub(crate) provider: Option<Registration>,
    pub(crate) logout_channel: LogoutChannel,
    /// The requirement of an `exp` in the provider's logout tokens.
    pub(crate) exp_claim: ClaimRequirement,
    /// The parameters of the provider's front-channel logout requests.
    pub(crate) front_channel_parameters: FrontChannelParameters,
}

/// How the development provider tells the app that a user has signed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogoutChannel {
    /// By a message to the first server.
    Back,
    /// By an iframe in the user's browser.
    Front,
    #[default]
    Both,
}

impl ServeOptions {
    /// In memory, with the development provider, on whichever ports of 127.0.0.1 are free.
    pub fn in_memory(instances: u16) -> Self {
        Self {
            store: StoreUrl::Memory,
            public_url: PublicUrl::any_loopback(),
            instances,
            provider: None,
            logout_channel: LogoutChannel::Both,
            exp_claim: ClaimRequirement::Required,
            front_channel_parameters: FrontChannelParameters::default(),
        }
    }
}

/// The arguments of `--serve`, as they come.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) instances: Option<String>,
    pub(crate) logout_channel: Option<String>,
    pub(crate) logout_tokens: Option<String>,
    pub(crate) front_channel_parameters: Option<String>,
    pub(crate) dead_grants: Option<String>,
    pub(crate) offline_access: Option<String>,
}

const DEFAULT_URL: &str = "http://localhost:8080";
const DEFAULT_INSTANCES: u16 = 3;

/// One letter names each server.
const MOST_INSTANCES: u16 = 26;

impl Given {
    /// Takes an argument with its value.
    pub(crate) fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        let place = match name {
            "--issuer" => &mut self.issuer,
            "--client-id" => &mut self.client_id,
            "--client-secret" => &mut self.client_secret,
            "--public-url" => &mut self.public_url,
            "--instances" => &mut self.instances,
            "--logout-channel" => &mut self.logout_channel,
            "--logout-tokens" => &mut self.logout_tokens,
            "--front-channel" => &mut self.front_channel_parameters,
            "--dead-grants" => &mut self.dead_grants,
            "--offline-access" => &mut self.offline_access,
            _ => return Err(format!("there is no argument {name:?}")),
        };
        if place.replace(value).is_some() {
            return Err(format!("{name} is there twice"));
        }
        Ok(())
    }

    /// The first one that was given.
    pub(crate) fn any(&self) -> Option<&'static str> {
        [
            ("--issuer", &self.issuer),
            ("--client-id", &self.client_id),
            ("--client-secret", &self.client_secret),
            ("--public-url", &self.public_url),
            ("--instances", &self.instances),
            ("--logout-channel", &self.logout_channel),
            ("--logout-tokens", &self.logout_tokens),
            ("--front-channel", &self.front_channel_parameters),
            ("--dead-grants", &self.dead_grants),
            ("--offline-access", &self.offline_access),
        ]
        .into_iter()
        .find_map(|(name, value)| value.is_some().then_some(name))
    }

    pub(crate) fn checked(self, store: StoreUrl) -> Result<ServeOptions, String> {
        let dead_grant_codes = match (&self.dead_grants, &self.issuer) {
            (None, _) => Vec::new(),
            (Some(_), None) => {
                return Err("--dead-grants is for your own provider: add --issuer".into());
            }
            (Some(codes), Some(_)) => codes.split(',').map(str::to_owned).collect(),
        };
        if dead_grant_codes.iter().any(|code| code.trim().is_empty()) {
            let given = self.dead_grants.unwrap_or_default();
            return Err(format!(
                "--dead-grants {given:?}: it is an error code, or several with commas between them"
            ));
        }
        let asks_for_offline_access = match self.offline_access.as_deref() {
            None | Some("if-offered") => true,
            Some("never") => false,
            Some(other) => {
                return Err(format!(
                    "--offline-access {other:?}: it is if-offered or never"
                ));
            }
        };
        let provider = match (self.issuer, self.client_id, self.client_secret) {
            (None, None, None) => None,
            (Some(issuer), Some(client_id), client_secret) => Some(Registration {
                issuer,
                client_id,
                client_secret,
                dead_grant_codes,
                asks_for_offline_access,
            }),
            (Some(_), None, _) => {
                return Err(
                    "--issuer needs --client-id: what the app is registered as there".into(),
                );
            }
            (None, ..) => {
                return Err(
                    "--client-id and --client-secret need --issuer; without the three, the provider is the built-in one"
                        .into(),
                );
            }
        };
        let instances = match self.instances {
            None => DEFAULT_INSTANCES,
            Some(text) => match text.parse() {
                Ok(number @ 1..=MOST_INSTANCES) => number,
                _ => return Err(format!("--instances {text:?}: it is 1 to {MOST_INSTANCES}")),
            },
        };
        let logout_channel = match (self.logout_channel.as_deref(), &provider) {
            (None, _) => LogoutChannel::default(),
            (Some(_), Some(_)) => {
                return Err("--logout-channel is for the built-in provider: register yours".into());
            }
            (Some("back"), None) => LogoutChannel::Back,
            (Some("front"), None) => LogoutChannel::Front,
            (Some("both"), None) => LogoutChannel::Both,
            (Some(other), None) => {
                return Err(format!(
                    "--logout-channel {other:?}: it is back, front or both"
                ));
            }
        };
        let exp_claim = match self.logout_tokens.as_deref() {
            None | Some("with-expiry") => ClaimRequirement::Required,
            Some("without-expiry") => ClaimRequirement::Optional,
            Some(other) => {
                return Err(format!(
                    "--logout-tokens {other:?}: it is with-expiry or without-expiry"
                ));
            }
        };
        let front_channel_parameters = match self.front_channel_parameters.as_deref() {
            None | Some("issuer-and-sid") => FrontChannelParameters::IssuerAndSid,
            Some("sid-only") => FrontChannelParameters::SidOnly,
            Some("subject-as-sid") => FrontChannelParameters::SubjectAsSid,
            Some("none") => FrontChannelParameters::None,
            Some(other) => {
                return Err(format!(
                    "--front-channel {other:?}: it is issuer-and-sid, sid-only, subject-as-sid or none"
                ));
            }
        };
        let public_url = self.public_url.as_deref().unwrap_or(DEFAULT_URL);
        Ok(ServeOptions {
            store,
            public_url: PublicUrl::parse(public_url)?,
            instances,
            provider,
            logout_channel,
            exp_claim,
            front_channel_parameters,
        })
    }
}

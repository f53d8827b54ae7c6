use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum LogoutChannel {
    /// By a message to the first server.
    Back,
    /// By an iframe in the user's browser.
    Front,
    /// By both.
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

/// The arguments of the web app.
#[derive(clap::Args)]
#[command(next_help_heading = "With --serve")]
pub(crate) struct ServeArgs {
    /// How many app servers
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = instances, requires = "serve")]
    instances: u16,
    /// The URL of the first of them in browsers; the others have the ports after it, and port 0 stands for any that are free
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080", value_parser = PublicUrl::parse, requires = "serve")]
    public_url: PublicUrl,
    /// Your own OpenID provider instead of the built-in one, which is for development
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), requires_all = ["serve", "client_id"])]
    issuer: Option<String>,
    /// The app's registration there
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), requires_all = ["serve", "issuer"])]
    client_id: Option<String>,
    /// And its secret, if it has one
    #[arg(long, value_name = "S", value_parser = NonEmptyStringValueParser::new(), requires_all = ["serve", "issuer"])]
    client_secret: Option<String>,
    /// How the built-in provider tells the app of a sign-out
    #[arg(
        long,
        value_name = "C",
        value_enum,
        default_value_t,
        requires = "serve",
        conflicts_with = "issuer"
    )]
    logout_channel: LogoutChannel,
    /// The form of your provider's logout tokens
    #[arg(long, value_name = "E", default_value = "with-expiry", value_parser = logout_tokens(), requires = "serve")]
    logout_tokens: ClaimRequirement,
    /// The parameters of your provider's front-channel logout requests
    #[arg(long, value_name = "N", default_value = "issuer-and-sid", value_parser = front_channel(), requires = "serve")]
    front_channel: FrontChannelParameters,
    /// Error codes by which your provider says that a refresh token is dead, besides `invalid_grant`, with commas between
    #[arg(long, value_name = "CODES", value_parser = Codes::parse, requires_all = ["serve", "issuer"])]
    dead_grants: Option<Codes>,
    /// When to ask for the scope `offline_access` (at Keycloak, for example, never)
    #[arg(long, value_name = "A", action = clap::ArgAction::Set, default_value = "if-offered", value_parser = offline_access(), requires = "serve")]
    offline_access: bool,
}

/// One letter names each server.
const MOST_INSTANCES: u16 = 26;

fn instances(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(number @ 1..=MOST_INSTANCES) => Ok(number),
        _ => Err(format!("it is 1 to {MOST_INSTANCES}")),
    }
}

fn logout_tokens() -> impl TypedValueParser<Value = ClaimRequirement> {
    PossibleValuesParser::new(["with-expiry", "without-expiry"]).map(|value| {
        if value == "with-expiry" {
            ClaimRequirement::Required
        } else {
            ClaimRequirement::Optional
        }
    })
}

fn front_channel() -> impl TypedValueParser<Value = FrontChannelParameters> {
    let values = ["issuer-and-sid", "sid-only", "subject-as-sid", "none"];
    PossibleValuesParser::new(values).map(|value| match value.as_str() {
        "sid-only" => FrontChannelParameters::SidOnly,
        "subject-as-sid" => FrontChannelParameters::SubjectAsSid,
        "none" => FrontChannelParameters::None,
        _ => FrontChannelParameters::IssuerAndSid,
    })
}

fn offline_access() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["if-offered", "never"]).map(|value| value == "if-offered")
}

/// Error codes of a provider.
#[derive(Clone)]
struct Codes(Vec<String>);

impl Codes {
    fn parse(text: &str) -> Result<Self, String> {
        let codes: Vec<String> = text.split(',').map(str::to_owned).collect();
        if codes.iter().any(|code| code.trim().is_empty()) {
            return Err("it is an error code, or several with commas between them".to_owned());
        }
        Ok(Self(codes))
    }
}

impl ServeArgs {
    pub(crate) fn options(self, store: StoreUrl) -> ServeOptions {
        let provider = self.issuer.zip(self.client_id);
        let provider = provider.map(|(issuer, client_id)| Registration {
            issuer,
            client_id,
            client_secret: self.client_secret,
            dead_grant_codes: self.dead_grants.map_or_else(Vec::new, |codes| codes.0),
            asks_for_offline_access: self.offline_access,
        });
        ServeOptions {
            store,
            public_url: self.public_url,
            instances: self.instances,
            provider,
            logout_channel: self.logout_channel,
            exp_claim: self.logout_tokens,
            front_channel_parameters: self.front_channel,
        }
    }
}

use super::{
    ACCESS_TOKEN_SECONDS, ClientRegistration, LogoutChannel, PASSWORD, Pages, Place, ServerError,
    USER,
};
use crate::browser::Window;
use crate::servers::oidc::{ClientAddresses, OidcProvider, OidcProviderSettings, ProgramOptions};

#[derive(Debug)]
struct Certified {
    _provider: OidcProvider,
    origin: String,
}

pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    if client.channel == LogoutChannel::Front {
        return Err(ServerError::new("oidc-provider has no front channel"));
    }
    let addresses = ClientAddresses {
        redirect_uris: client.redirect_uris.clone(),
        post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
        backchannel_logout_uri: Some(client.logout_uri.clone()),
        backchannel_logout_session_required: true,
    };
    let options = ProgramOptions {
        issuer: place.origin.clone(),
        settings: OidcProviderSettings {
            access_token_seconds: ACCESS_TOKEN_SECONDS,
            ..OidcProviderSettings::default()
        },
    };
    let provider = OidcProvider::start_at(place.port, &addresses, &options)?;
    let origin = place.origin.clone();
    let pages = Certified {
        _provider: provider,
        origin: origin.clone(),
    };
    Ok((origin, Box::new(pages)))
}

impl Pages for Certified {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=login]", USER)?;
        window.fill("input[name=password]", PASSWORD)?;
        window.press("Sign-in")?;
        window.press("Continue")
    }

    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.press("Yes, sign me out")
    }

    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.go(&format!("{}/session/end", self.origin))?;
        window.press("Yes, sign me out")?;
        window.arrive(&format!("{}/session/end/success", self.origin))
    }

    fn sign_out_everywhere(&self, _: Window<'_>) -> Result<(), ServerError> {
        Err(ServerError::new(
            "oidc-provider has no function that ends all sessions of a user",
        ))
    }
}

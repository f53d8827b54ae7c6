use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::debian::{self, Package};
use super::{
    ACCESS_TOKEN_SECONDS, CLIENT_ID, ClientRegistration, Hosted, LogoutChannel, PASSWORD, Pages,
    Place, ServerError, USER, folder, install,
};
use crate::browser::Window;

pub(super) const PACKAGES: [Package; 1] = [Package::program("python3-venv", "python3")];
const REQUIREMENTS: &str = include_str!("../../../idpyoidc/requirements.txt");
const PROGRAM: &str = include_str!("../../../idpyoidc/program.py");

#[derive(Debug)]
struct Idpyoidc {
    origin: String,
    channel: LogoutChannel,
    _hosted: Hosted,
}

/// Returns the Python interpreter that has it.
pub(super) fn install() -> Result<PathBuf, ServerError> {
    debian::need(&PACKAGES)?;
    install::python("idpyoidc", REQUIREMENTS)
}

/// Starts it. The library has no pages, so the program has its own.
pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    let python = install()?;
    let folder = folder("idpyoidc")?;
    let program = folder.path().join("program.py");
    fs::write(&program, PROGRAM).map_err(ServerError::during(program.display()))?;
    let mut registration = json!({
        "client_id": CLIENT_ID,
        "client_secret": client.secret,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
    });
    let (uri, session_required) = match client.channel {
        LogoutChannel::Back => (
            "backchannel_logout_uri",
            "backchannel_logout_session_required",
        ),
        LogoutChannel::Front => (
            "frontchannel_logout_uri",
            "frontchannel_logout_session_required",
        ),
    };
    registration[uri] = json!(client.logout_uri);
    registration[session_required] = json!(true);
    let arguments = [
        program.display().to_string(),
        place.port.to_string(),
        place.origin.clone(),
        folder.path().display().to_string(),
        registration.to_string(),
        json!({USER: PASSWORD}).to_string(),
        ACCESS_TOKEN_SECONDS.to_string(),
    ];
    let hosted = Hosted::start(&python, &arguments, &[], (folder, place.port))?;
    let origin = place.origin.clone();
    let pages = Idpyoidc {
        origin: origin.clone(),
        channel: client.channel,
        _hosted: hosted,
    };
    Ok((origin, Box::new(pages)))
}

impl Pages for Idpyoidc {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=username]", USER)?;
        window.fill("input[name=password]", PASSWORD)?;
        window.press("Sign in")
    }

    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.press("Sign out here")?;
        match self.channel {
            LogoutChannel::Back => Ok(()),
            // The page with the frame has a link to continue.
            LogoutChannel::Front => window.press("Continue"),
        }
    }

    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.go(&format!("{}/session", self.origin))?;
        window.press("Sign out here")?;
        window.see("Signed out")
    }

    fn sign_out_everywhere(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.go(&format!("{}/session", self.origin))?;
        window.press("Sign out everywhere")?;
        window.see("Signed out")
    }
}

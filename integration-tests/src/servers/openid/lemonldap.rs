use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::debian::{self, Package};
use super::key_pair::{self, KeyPair};
use super::{
    ACCESS_TOKEN_SECONDS, CLIENT_ID, ClientRegistration, Hosted, LogoutChannel, Pages, Place,
    ServerError, folder, install,
};
use crate::browser::Window;

/// The portal's package does not depend on all modules that the portal loads.
pub(super) const PACKAGES: [Package; 7] = [
    Package::perl("liblemonldap-ng-portal-perl", "Lemonldap/NG/Portal.pm"),
    Package::program("libplack-perl", "plackup"),
    Package::perl("libgd-securityimage-perl", "GD/SecurityImage.pm"),
    Package::perl("libimage-magick-perl", "Image/Magick.pm"),
    Package::perl("libio-string-perl", "IO/String.pm"),
    Package::perl("libstring-random-perl", "String/Random.pm"),
    key_pair::PACKAGE,
];

const LOCAL_SETTINGS: &str = include_str!("../../../lemonldap/lemonldap-ng.ini");
/// With a `cfgDate` of 0, `LemonLDAP::NG` finds no configuration.
const SETTINGS: &str = include_str!("../../../lemonldap/portal.json");
const PORTAL: &str = include_str!("../../../lemonldap/portal.psgi");

const SETTINGS_VARIABLE: &str = "LLNG_DEFAULTCONFFILE";
const SESSIONS_PROGRAM: &str = "/usr/share/lemonldap-ng/bin/lemonldap-ng-sessions";

/// A user of its demonstration module. The password is the same.
const DEMO_USER: &str = "dwho";

#[derive(Debug)]
struct LemonLdap {
    origin: String,
    /// The file from which its programs read their settings.
    settings: String,
    _hosted: Hosted,
}

/// Finds the program that runs Perl web apps, and the modules of Debian's packages.
pub(super) fn install() -> Result<PathBuf, ServerError> {
    debian::need(&PACKAGES)?;
    install::program("plackup")
}

/// Starts its portal with a configuration and sessions in a folder.
pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    if client.channel == LogoutChannel::Back {
        return Err(ServerError::new("LemonLDAP::NG 2.16 has no back channel"));
    }
    let program = install()?;
    let folder = folder("lemonldap")?;
    for name in ["conf", "cache", "sessions/lock", "psessions/lock"] {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).map_err(ServerError::during(path.display()))?;
    }
    let keys = KeyPair::generate(folder.path())?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(ServerError::during(path.display()))?;
        Ok::<_, ServerError>(path.display().to_string())
    };
    let at = folder.path().display().to_string();
    let local = write("lemonldap-ng.ini", &LOCAL_SETTINGS.replace("FOLDER", &at))?;
    let issuer = format!("{}/", place.origin);
    let settings = settings(&SETTINGS.replace("FOLDER", &at), &issuer, client, &keys)?;
    write("conf/lmConf-1.json", &settings.to_string())?;
    let arguments = [
        "--host".to_owned(),
        "127.0.0.1".to_owned(),
        "--port".to_owned(),
        place.port.to_string(),
        write("portal.psgi", PORTAL)?,
    ];
    let environment = [(SETTINGS_VARIABLE, local.as_str())];
    let hosted = Hosted::start(&program, &arguments, &environment, (folder, place.port))?;
    let pages = LemonLdap {
        origin: place.origin.clone(),
        settings: local,
        _hosted: hosted,
    };
    Ok((issuer, Box::new(pages)))
}

/// Returns the portal's settings, including the client's.
fn settings(
    template: &str,
    issuer: &str,
    client: &ClientRegistration,
    keys: &KeyPair,
) -> Result<Value, ServerError> {
    let mut settings: Value =
        serde_json::from_str(template).map_err(ServerError::during("portal.json"))?;
    settings["portal"] = json!(issuer);
    settings["oidcServiceMetaDataIssuer"] = json!(issuer);
    settings["oidcServicePrivateKeySig"] = json!(keys.private);
    settings["oidcServicePublicKeySig"] = json!(keys.public);
    settings["oidcRPMetaDataExportedVars"] = json!({CLIENT_ID: {"name": "cn"}});
    let options = json!({
        "ClientID": CLIENT_ID,
        "ClientSecret": client.secret,
        "RedirectUris": client.redirect_uris.join(" "),
        "PostLogoutRedirectUris": client.post_logout_redirect_uris.join(" "),
        "BypassConsent": 1,
        // The default is HS512.
        "IDTokenSignAlg": "RS256",
        "RefreshToken": 1,
        "AccessTokenExpiration": ACCESS_TOKEN_SECONDS,
        "LogoutUrl": client.logout_uri,
        "LogoutType": "front",
        "LogoutSessionRequired": 1,
    });
    let options = options.as_object().into_iter().flatten();
    let options: Map<String, Value> = options
        .map(|(name, value)| (format!("oidcRPMetaDataOptions{name}"), value.clone()))
        .collect();
    settings["oidcRPMetaDataOptions"] = json!({CLIENT_ID: options});
    Ok(settings)
}

impl Pages for LemonLdap {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=user]", DEMO_USER)?;
        window.fill("input[name=password]", DEMO_USER)?;
        window.press("Connect")
    }

    /// The page with the app's frame continues by itself after 30 seconds.
    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.press("Accept")?;
        window.press("Continue")
    }

    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.go(&format!("{}/?logout=1", self.origin)).map(drop)
    }

    /// Deletes the user's sessions from the store, as its session explorer does.
    fn sign_out_everywhere(&self, _: Window<'_>) -> Result<(), ServerError> {
        install::run(
            Command::new("perl")
                .arg(SESSIONS_PROGRAM)
                // This user does not exist, so the program keeps the user of this process.
                .args(["--user", "-", "--group", "-"])
                .args(["delete", "--where", &format!("uid={DEMO_USER}")])
                .env(SETTINGS_VARIABLE, &self.settings),
        )
    }
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::debian::{self, Package};
use super::http::{Body, Credentials, send, sign_in};
use super::key_pair::{self, KeyPair};
use super::{
    ACCESS_TOKEN_SECONDS, CLIENT_ID, ClientRegistration, Hosted, LogoutChannel, PASSWORD, Pages,
    Place, ServerError, USER, folder, install,
};
use crate::browser::Window;

pub(super) const PACKAGES: [Package; 3] = [
    Package::program("glewlwyd", "glewlwyd"),
    Package::program("sqlite3", "sqlite3"),
    key_pair::PACKAGE,
];
const SCHEMA: &str = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz";
const WEB_APP: &str = "/usr/share/glewlwyd/webapp";
const WEB_APP_SETTINGS: &str = "/etc/glewlwyd/config-2.7.json/config.json";

const CONFIGURATION: &str = include_str!("../../../glewlwyd/glewlwyd.conf");
const PLUGIN: &str = include_str!("../../../glewlwyd/plugin.json");
const SEED: &str = include_str!("../../../glewlwyd/seed.sql");
/// The seed contains its hash.
const API_KEY: &str = "only-for-a-test-only-for-a-tests";

/// The administrator of Debian's schema.
const ADMINISTRATOR: &str = "admin";
const ADMINISTRATOR_PASSWORD: &str = "password";

/// Another app of the user, at the same provider.
const OTHER_CLIENT: &str = "intranet";

#[derive(Debug)]
struct Glewlwyd {
    origin: String,
    _hosted: Hosted,
}

/// Finds the server that Debian's package installs, and the other programs that it needs.
pub(super) fn install() -> Result<PathBuf, ServerError> {
    debian::need(&PACKAGES)?;
    install::program("glewlwyd")
}

/// Starts it with a database of its own, and registers the client through its administration API.
pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    let program = install()?;
    let folder = folder("glewlwyd")?;
    prepare(folder.path())?;
    let keys = KeyPair::generate(folder.path())?;
    let configuration = CONFIGURATION
        .replace("PORT", &place.port.to_string())
        .replace("ORIGIN", &place.origin)
        .replace("FOLDER", &folder.path().display().to_string());
    let path = folder.path().join("glewlwyd.conf");
    fs::write(&path, configuration).map_err(ServerError::during(path.display()))?;
    let arguments = ["-c".to_owned(), path.display().to_string()];
    let hosted = Hosted::start(&program, &arguments, &[], (folder, place.port))?;
    let issuer = format!("{}/api/oidc", place.origin);
    let glewlwyd = Glewlwyd {
        origin: place.origin.clone(),
        _hosted: hosted,
    };
    glewlwyd.add("mod/plugin", &plugin(&issuer, &keys)?)?;
    glewlwyd.add(
        "user",
        &json!({
            "username": USER,
            "password": PASSWORD,
            "name": "Ada",
            "email": format!("{USER}@shop.example"),
            "scope": ["openid"],
            "enabled": true,
        }),
    )?;
    glewlwyd.add("client", &registration(client))?;
    glewlwyd.add(
        "client",
        &json!({
            "client_id": OTHER_CLIENT,
            "enabled": true,
            "redirect_uri": [glewlwyd.other_app()],
            "authorization_type": ["id_token"],
        }),
    )?;
    Ok((issuer, Box::new(glewlwyd)))
}

/// Prepares the database and the pages. Debian's package has symbolic links where the server requires files.
fn prepare(folder: &Path) -> Result<(), ServerError> {
    let pages = folder.join("webapp");
    install::run(Command::new("cp").args(["-rL", WEB_APP]).arg(&pages))?;
    let settings = pages.join("config.json");
    fs::remove_dir_all(&settings).map_err(ServerError::during(settings.display()))?;
    fs::copy(WEB_APP_SETTINGS, &settings).map_err(ServerError::during(settings.display()))?;
    let (schema, seed) = (folder.join("schema.sql"), folder.join("seed.sql"));
    fs::write(&seed, SEED).map_err(ServerError::during(seed.display()))?;
    let packed = folder.join("schema.sql.gz");
    fs::copy(SCHEMA, &packed).map_err(ServerError::during(SCHEMA))?;
    install::run(Command::new("gzip").arg("-d").arg(packed))?;
    let sqlite = install::program("sqlite3")?;
    let read = |path: &Path| format!(".read {}", path.display());
    install::run(
        Command::new(sqlite)
            .arg("-bail")
            .arg(folder.join("glewlwyd.db"))
            .args([read(&schema), read(&seed)]),
    )
}

fn plugin(issuer: &str, keys: &KeyPair) -> Result<Value, ServerError> {
    let mut plugin: Value =
        serde_json::from_str(PLUGIN).map_err(ServerError::during("plugin.json"))?;
    let parameters = &mut plugin["parameters"];
    parameters["iss"] = json!(issuer);
    parameters["key"] = json!(keys.private);
    parameters["cert"] = json!(keys.public);
    parameters["access-token-duration"] = json!(ACCESS_TOKEN_SECONDS);
    Ok(plugin)
}

fn registration(client: &ClientRegistration) -> Value {
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
    json!({
        "client_id": CLIENT_ID,
        "confidential": true,
        "client_secret": client.secret,
        "enabled": true,
        "redirect_uri": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "authorization_type": ["code", "refresh_token", "delete_token"],
        "token_endpoint_auth_method": ["client_secret_basic"],
        uri: client.logout_uri,
        session_required: "1",
    })
}

impl Glewlwyd {
    /// Adds a resource through the administration API.
    fn add(&self, kind: &str, resource: &Value) -> Result<(), ServerError> {
        let url = format!("{}/api/{kind}/", self.origin);
        let key = format!("token {API_KEY}");
        let key = Credentials::Authorization(&key);
        send(&Method::POST, &url, key, Body::Json(resource)).map(drop)
    }

    /// Sends a request as an administrator's browser does, for functions that no API key gives access to.
    fn administer(&self, method: &Method, path: &str) -> Result<Value, ServerError> {
        let administrator = json!({"username": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD});
        let at = |path: &str| format!("{}/api{path}", self.origin);
        let cookie = sign_in(&at("/auth/"), Body::Json(&administrator))?;
        send(method, &at(path), Credentials::Cookie(&cookie), Body::None)
    }

    /// Returns the address to which the other app's users are redirected with an ID token.
    fn other_app(&self) -> String {
        format!("{}/callback.html", self.origin)
    }
}

impl Pages for Glewlwyd {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=username]", USER)?;
        window.fill("input[name=password]", PASSWORD)?;
        window.press("OK")?;
        window.press("Continue")
    }

    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.press("Logout")
    }

    /// Signs out in another app of the user, since a sign-out at the provider's own page sends no logout message.
    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        let url = |path: &str, parameters: &[(&str, &str)]| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(parameters)
                .finish();
            format!("{}/api/oidc/{path}?{query}", self.origin)
        };
        let other_app = self.other_app();
        let arrived = window.go(&url(
            "auth",
            &[
                ("response_type", "id_token"),
                ("client_id", OTHER_CLIENT),
                ("redirect_uri", other_app.as_str()),
                ("scope", "openid"),
                ("nonce", "of-another-app"),
                // Its sign-in page sends this when the user continues.
                ("g_continue", ""),
            ],
        ))?;
        let fragment = Url::parse(&arrived.url)
            .ok()
            .and_then(|url| url.fragment().map(str::to_owned))
            .unwrap_or_default();
        let id_token = form_urlencoded::parse(fragment.as_bytes())
            .find(|(name, _)| name == "id_token")
            .ok_or_else(|| ServerError::new(format!("the other app got no ID token: {arrived:?}")))?
            .1;
        window.go(&url("end_session", &[("id_token_hint", &*id_token)]))?;
        window.press("Logout")?;
        window.see("You are disconnected")
    }

    /// Ends all sessions that the administrator's pages list for the user.
    fn sign_out_everywhere(&self, _: Window<'_>) -> Result<(), ServerError> {
        let sessions = format!("/delegate/{USER}/profile/session");
        let listed = self.administer(&Method::GET, &sessions)?;
        for session in listed.as_array().into_iter().flatten() {
            let hash = session["session_hash"].as_str().unwrap_or_default();
            self.administer(&Method::DELETE, &format!("{sessions}/{hash}"))?;
        }
        Ok(())
    }

    fn revoke_tokens(&self) -> Result<(), ServerError> {
        let path = format!("/oidc/token/?impersonate={USER}");
        self.administer(&Method::DELETE, &path).map(drop)
    }
}

//! Ory Hydra with its data in memory, and the app in which its users sign in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::debian::{self, Package};
use super::http::{Body, Credentials, send};
use super::{
    ACCESS_TOKEN_SECONDS, CLIENT_ID, ClientRegistration, Hosted, LogoutChannel, PASSWORD, Pages,
    Place, ServerError, USER, folder, install,
};
use crate::browser::Window;
use crate::servers::port::Port;
use crate::servers::wait;

mod login_app;

use self::login_app::LoginApp;

const MODULE: &str = "github.com/ory/hydra/v2";
const VERSION: &str = "v2.3.0";
/// Hydra's own `replace` line, which applies only to the main module. Hydra does not compile without it.
const REPLACED: &str =
    "github.com/gobuffalo/pop/v6=github.com/ory/pop/v6@v6.2.1-0.20241121111754-e5dfc0f3344b";
/// `SQLite`, which it needs also for data in memory.
const TAGS: &str = "sqlite";
/// The packages that compile it. Debian 12's version is too old.
pub(super) const PACKAGES: [Package; 1] = [Package::program("golang-go", "go")];
const OLDEST_GO: (u32, u32) = (1, 22);
const UP_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Hydra {
    origin: String,
    administration: Administration,
    channel: LogoutChannel,
    _hosted: Hosted,
    _login_app: LoginApp,
    _ports: [Port; 2],
}

/// Its administration API.
#[derive(Debug, Clone)]
struct Administration {
    origin: String,
}

impl Administration {
    fn ask(&self, method: &Method, path: &str, body: Body<'_>) -> Result<Value, ServerError> {
        let url = format!("{}/admin{path}", self.origin);
        send(method, &url, Credentials::None, body)
    }
}

/// Builds it once. `go install` refuses a version of a module with `replace` lines, so this creates a module that requires it.
pub(super) fn install() -> Result<PathBuf, ServerError> {
    let recipe = format!("{MODULE}@{VERSION} -tags {TAGS} -replace {REPLACED}");
    let folder = install::once("hydra", &recipe, |folder| {
        let go = go()?;
        let module = folder.join("module");
        if module.exists() {
            fs::remove_dir_all(&module).map_err(ServerError::during(module.display()))?;
        }
        fs::create_dir_all(&module).map_err(ServerError::during(module.display()))?;
        let run = |arguments: &[&str]| {
            install::run(Command::new(&go).args(arguments).current_dir(&module))
        };
        run(&["mod", "init", "hydra-for-tests"])?;
        run(&["mod", "edit", "-replace", REPLACED])?;
        run(&["get", &format!("{MODULE}@{VERSION}")])?;
        let program = program(folder).display().to_string();
        run(&["build", "-tags", TAGS, "-o", &program, MODULE])
    })?;
    Ok(program(&folder))
}

/// Finds a Go that is new enough.
fn go() -> Result<PathBuf, ServerError> {
    debian::need(&PACKAGES)?;
    let go = install::program("go")?;
    let output = Command::new(&go)
        .args(["env", "GOVERSION"])
        .output()
        .map_err(ServerError::during("go env GOVERSION"))?;
    let version = String::from_utf8_lossy(&output.stdout);
    if is_new_enough(&version) {
        return Ok(go);
    }
    let (major, minor) = OLDEST_GO;
    Err(ServerError::new(format!(
        "{} is {}: install Go {major}.{minor} or newer (https://go.dev/dl/), and put it first in PATH",
        go.display(),
        version.trim()
    )))
}

/// Parses versions such as `go1.26.8`.
fn is_new_enough(version: &str) -> bool {
    let numbers = version.trim().trim_start_matches("go");
    let mut numbers = numbers.split('.').map(|number| number.parse().ok());
    let mut number = || numbers.next().flatten();
    matches!((number(), number()), (Some(major), Some(minor)) if (major, minor) >= OLDEST_GO)
}

fn program(folder: &Path) -> PathBuf {
    folder.join("hydra")
}

/// Starts it with the app in which its users sign in, and registers the client through its administration API.
pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    let program = install()?;
    let folder = folder("hydra")?;
    let (admin, users) = (Port::reserve()?, Port::reserve()?);
    let administration = Administration {
        origin: format!("http://{}", admin.address()),
    };
    let login_app = LoginApp::start(users.address(), administration.clone())?;
    let settings = settings(
        place,
        admin.number(),
        &format!("http://{}", users.address()),
    );
    let path = folder.path().join("hydra.json");
    fs::write(&path, settings.to_string()).map_err(ServerError::during(path.display()))?;
    let arguments = [
        "serve".to_owned(),
        "all".to_owned(),
        // The option makes it serve plain HTTP.
        "--dev".to_owned(),
        "--sqa-opt-out".to_owned(),
        "--config".to_owned(),
        path.display().to_string(),
    ];
    let hosted = Hosted::start(&program, &arguments, &[], (folder, place.port))?;
    wait::until(UP_LIMIT, "Hydra's administration does not answer", || {
        let url = format!("{}/health/ready", administration.origin);
        send(&Method::GET, &url, Credentials::None, Body::None).ok()
    })?;
    administration.ask(&Method::POST, "/clients", Body::Json(&registration(client)))?;
    let hydra = Hydra {
        origin: place.origin.clone(),
        administration,
        channel: client.channel,
        _hosted: hosted,
        _login_app: login_app,
        _ports: [admin, users],
    };
    Ok((place.origin.clone(), Box::new(hydra)))
}

fn settings(place: &Place, admin_port: u16, login_app: &str) -> Value {
    let at = |port: u16| json!({"host": "127.0.0.1", "port": port});
    json!({
        "dsn": "memory",
        "serve": {
            "public": at(place.port),
            "admin": at(admin_port),
            "cookies": {"same_site_mode": "Lax"},
        },
        "urls": {
            "self": {"issuer": place.origin, "public": place.origin},
            "login": format!("{login_app}/login"),
            "consent": format!("{login_app}/consent"),
            "logout": format!("{login_app}/logout"),
            "post_logout_redirect": format!("{login_app}/signed-out"),
        },
        "secrets": {"system": ["only-for-a-test-only-for-a-test"]},
        "ttl": {"access_token": format!("{ACCESS_TOKEN_SECONDS}s")},
    })
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
        "client_secret": client.secret,
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid profile email offline_access",
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        uri: client.logout_uri,
        session_required: true,
    })
}

impl Pages for Hydra {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=username]", USER)?;
        window.fill("input[name=password]", PASSWORD)?;
        window.press(login_app::SIGN_IN)
    }

    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.press(login_app::SIGN_OUT)
    }

    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.go(&format!("{}/oauth2/sessions/logout", self.origin))?;
        window.press(login_app::SIGN_OUT)?;
        window.see(login_app::SIGNED_OUT)
    }

    /// With a back channel, ends each session by its `sid`, which causes logout messages. With a front channel, ends all of the user's
    /// sessions in one request.
    fn sign_out_everywhere(&self, _: Window<'_>) -> Result<(), ServerError> {
        let sessions = "/oauth2/auth/sessions/login";
        if self.channel == LogoutChannel::Front {
            let path = format!("{sessions}?subject={USER}");
            self.administration
                .ask(&Method::DELETE, &path, Body::None)?;
            return Ok(());
        }
        let granted = format!("/oauth2/auth/sessions/consent?subject={USER}");
        let granted = self
            .administration
            .ask(&Method::GET, &granted, Body::None)?;
        let granted = granted.as_array().into_iter().flatten();
        let sids = granted.filter_map(|it| it["consent_request"]["login_session_id"].as_str());
        // The list contains grants of ended sessions, with an empty `sid`.
        for sid in sids.filter(|sid| !sid.is_empty()) {
            let path = format!("{sessions}?sid={sid}");
            self.administration
                .ask(&Method::DELETE, &path, Body::None)?;
        }
        Ok(())
    }

    fn revoke_tokens(&self) -> Result<(), ServerError> {
        let path = format!("/oauth2/auth/sessions/consent?subject={USER}&all=true");
        self.administration
            .ask(&Method::DELETE, &path, Body::None)
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn a_go_is_new_enough_from_1_22_on() {
        for (version, expected) in [
            ("go1.22.0\n", true),
            ("go1.26.8", true),
            ("go2.0", true),
            ("go1.19.8", false),
            ("go1.9", false),
            ("devel", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}

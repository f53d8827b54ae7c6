use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use super::debian::{self, Package};
use super::http::{Body, Credentials, send};
use super::{
    ACCESS_TOKEN_SECONDS, CLIENT_ID, ClientRegistration, Hosted, LogoutChannel, PASSWORD, Pages,
    Place, ServerError, USER, folder, install,
};
use crate::browser::Window;

const VERSION: &str = "26.7.3";
/// The packages that fetch and unpack it. Java is not among them: Debian 12 has no version that is new enough.
pub(super) const PACKAGES: [Package; 2] = [
    Package::program("maven", "mvn"),
    Package::program("unzip", "unzip"),
];
const JAVA_COMMAND: &str = "install a JDK 21 or newer, and name its folder in JAVA_HOME";
const OLDEST_JAVA: u32 = 21;
const ADMINISTRATOR: &str = "admin";
const REALM: &str = "shop";
/// The options of its build: data and caches in memory.
const BUILD: [&str; 3] = ["build", "--db=dev-mem", "--cache=local"];

/// The options that its start script gives the JVM. With the script, the JVM would be a grandchild and outlive a test.
const JVM: [&str; 8] = [
    "-Xms64m",
    "-Xmx512m",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Dpicocli.disable.closures=true",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
];

#[derive(Debug)]
struct Keycloak {
    origin: String,
    channel: LogoutChannel,
    _hosted: Hosted,
}

/// Starts Keycloak with its data in memory, and creates a realm through its administration API.
pub(super) fn start(
    place: &Place,
    client: &ClientRegistration,
) -> Result<(String, Box<dyn Pages>), ServerError> {
    let Installed { java, home } = install()?;
    let mut arguments = JVM.map(str::to_owned).to_vec();
    arguments.extend([
        format!("-Dkc.home.dir={}", home.display()),
        "-cp".to_owned(),
        home.join("lib/quarkus-run.jar").display().to_string(),
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint".to_owned(),
        "start".to_owned(),
        "--optimized".to_owned(),
        "--http-enabled=true".to_owned(),
        "--http-host=127.0.0.1".to_owned(),
        format!("--http-port={}", place.port),
        format!("--hostname={}", place.origin),
    ]);
    let environment = [
        ("KC_BOOTSTRAP_ADMIN_USERNAME", ADMINISTRATOR),
        ("KC_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD),
    ];
    let program = java.join("bin/java");
    let folder = folder("keycloak")?;
    let hosted = Hosted::start(&program, &arguments, &environment, (folder, place.port))?;
    let keycloak = Keycloak {
        origin: place.origin.clone(),
        channel: client.channel,
        _hosted: hosted,
    };
    keycloak.administer(&Method::POST, "", Body::Json(&realm(client)))?;
    let issuer = format!("{}/realms/{REALM}", place.origin);
    Ok((issuer, Box::new(keycloak)))
}

fn realm(client: &ClientRegistration) -> Value {
    let (url, session_required) = match client.channel {
        LogoutChannel::Back => (
            "backchannel.logout.url",
            "backchannel.logout.session.required",
        ),
        LogoutChannel::Front => (
            "frontchannel.logout.url",
            "frontchannel.logout.session.required",
        ),
    };
    json!({
        "realm": REALM,
        "enabled": true,
        "sslRequired": "none",
        "accessTokenLifespan": ACCESS_TOKEN_SECONDS,
        "revokeRefreshToken": true,
        "refreshTokenMaxReuse": 0,
        "clients": [{
            "clientId": CLIENT_ID,
            "secret": client.secret,
            "redirectUris": client.redirect_uris,
            "standardFlowEnabled": true,
            "frontchannelLogout": client.channel == LogoutChannel::Front,
            "attributes": {
                "post.logout.redirect.uris": client.post_logout_redirect_uris.join("##"),
                url: client.logout_uri,
                session_required: "true",
            },
        }],
        "users": [{
            "username": USER,
            "enabled": true,
            "email": format!("{USER}@shop.example"),
            "emailVerified": true,
            "firstName": "Ada",
            "lastName": "Lovelace",
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": false}],
        }],
    })
}

impl Keycloak {
    /// Sends a request to the administration API.
    fn administer(
        &self,
        method: &Method,
        path: &str,
        body: Body<'_>,
    ) -> Result<Value, ServerError> {
        let token = format!(
            "{}/realms/master/protocol/openid-connect/token",
            self.origin
        );
        let password = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", ADMINISTRATOR),
            ("password", PASSWORD),
        ];
        let token = send(
            &Method::POST,
            &token,
            Credentials::None,
            Body::Form(&password),
        )?;
        let token = token["access_token"].as_str().unwrap_or_default();
        let url = format!("{}/admin/realms{path}", self.origin);
        let token = format!("Bearer {token}");
        send(method, &url, Credentials::Authorization(&token), body)
    }
}

impl Pages for Keycloak {
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        window.fill("input[name=username]", USER)?;
        window.fill("input[name=password]", PASSWORD)?;
        window.press("Sign In")
    }

    /// The hint names the session, so Keycloak requests no confirmation.
    fn confirm_sign_out(&self, _: Window<'_>) -> Result<(), ServerError> {
        Ok(())
    }

    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        let page = "protocol/openid-connect/logout";
        window.go(&format!("{}/realms/{REALM}/{page}", self.origin))?;
        window.press("Logout")?;
        window.see(match self.channel {
            LogoutChannel::Back => "You are logged out",
            // The page does not change, because no URL to continue to was named.
            LogoutChannel::Front => "You are logging out from following apps",
        })
    }

    fn sign_out_everywhere(&self, _: Window<'_>) -> Result<(), ServerError> {
        let users = format!("/{REALM}/users?exact=true&username={USER}");
        let users = self.administer(&Method::GET, &users, Body::None)?;
        let user = users[0]["id"].as_str().unwrap_or_default();
        let path = format!("/{REALM}/users/{user}/logout");
        self.administer(&Method::POST, &path, Body::None).map(drop)
    }
}

/// The paths of Keycloak and of the Java that runs it.
pub(super) struct Installed {
    java: PathBuf,
    home: PathBuf,
}

/// Unpacks the distribution that Maven fetches, and builds what is the same for every start. Happens once.
pub(super) fn install() -> Result<Installed, ServerError> {
    let java = java()?;
    let artifact = format!("org.keycloak:keycloak-quarkus-dist:{VERSION}:zip");
    let recipe = format!("{artifact} {}", BUILD.join(" "));
    let folder = install::once("keycloak", &recipe, |folder| {
        debian::need(&PACKAGES)?;
        let maven = install::program("mvn")?;
        install::run(
            Command::new(maven)
                .args(["--quiet", "--batch-mode", "dependency:copy"])
                .arg(format!("-Dartifact={artifact}"))
                .arg(format!("-DoutputDirectory={}", folder.display())),
        )?;
        let unzip = install::program("unzip")?;
        install::run(
            Command::new(unzip)
                .args(["-q", "-o"])
                .arg(folder.join(format!("keycloak-quarkus-dist-{VERSION}.zip")))
                .arg("-d")
                .arg(folder),
        )?;
        let script = home(folder).join("bin/kc.sh");
        install::run(Command::new(script).args(BUILD).env("JAVA_HOME", &java))
    })?;
    let home = home(&folder);
    Ok(Installed { java, home })
}

fn home(folder: &Path) -> PathBuf {
    folder.join(format!("keycloak-{VERSION}"))
}

/// Finds a Java that is new enough: that of `JAVA_HOME`, or one that a package has installed.
fn java() -> Result<PathBuf, ServerError> {
    let named = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten();
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path()));
    named
        .into_iter()
        .chain(installed)
        .find(|home| version(home).is_some_and(|version| version >= OLDEST_JAVA))
        .ok_or_else(|| {
            ServerError::new(format!(
                "no Java {OLDEST_JAVA} or newer on this machine: {JAVA_COMMAND}"
            ))
        })
}

/// Reads `JAVA_VERSION="25.0.1"` from the `release` file, which every JDK has.
fn version(home: &Path) -> Option<u32> {
    let release = std::fs::read_to_string(home.join("release")).ok()?;
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    line.trim_matches('"').split('.').next()?.parse().ok()
}

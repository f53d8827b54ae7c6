use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::npm::NpmProgram;
use super::oauth::ProviderCounts;
use super::port::Port;
use super::process::Process;
use super::{ServerError, wait};

mod browser;
mod sign_in;

/// The one client that the provider knows, and its secret.
pub(super) const CLIENT: (&str, &str) = (super::CLIENT_ID, super::CLIENT_SECRET);

const PROGRAM: NpmProgram = NpmProgram {
    name: "oidc-provider",
    package: include_str!("../../../oidc-provider/package.json"),
    lock: include_str!("../../../oidc-provider/package-lock.json"),
    program: include_str!("../../../oidc-provider/program.mjs"),
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// The certified OpenID provider of npm (`oidc-provider`) on loopback, in a process of its own: refresh tokens rotate, and the
/// reuse of one revokes its grant.
///
/// Its one client is [`CLIENT_ID`](super::CLIENT_ID) with [`CLIENT_SECRET`](super::CLIENT_SECRET). Users sign in with any
/// name, by the forms that a browser would be shown. Its package is installed once, beside this program, from the versions
/// that a lock file pins.
#[derive(Debug)]
pub struct OidcProvider {
    _process: Process,
    issuer: String,
    /// The provider's own reservation, if it made one.
    port: Option<Port>,
    _folder: TempDir,
}

/// What a test decides about the provider.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct OidcProviderSettings {
    /// What ID tokens and logout tokens are signed with: `ES256` or `RS256`.
    pub algorithm: &'static str,
    /// How long access tokens live, in seconds.
    pub access_token_seconds: u16,
    /// Whether a logout token names the user (`sub`) as well as the session (`sid`). OpenID Connect Back-Channel Logout 1.0, section
    /// 2.4, allows either alone.
    pub logout_tokens_have_sub: bool,
}

impl Default for OidcProviderSettings {
    fn default() -> Self {
        Self {
            algorithm: "ES256",
            access_token_seconds: 3600,
            logout_tokens_have_sub: true,
        }
    }
}

/// What the provider's program is told.
#[derive(Debug, Serialize)]
pub(super) struct ProgramOptions {
    /// The origin that browsers and apps know: the provider's own, or that of a proxy in front of it.
    pub(super) issuer: String,
    #[serde(flatten)]
    pub(super) settings: OidcProviderSettings,
}

/// Where the provider's one client is reached (OpenID Connect Dynamic Client Registration 1.0 section 2, RP-Initiated Logout 1.0
/// section 3.1, Back-Channel Logout 1.0 section 2.2).
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct ClientAddresses {
    /// Where users come back to with a code.
    pub redirect_uris: Vec<String>,
    /// Where users come back to from a sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the provider says that a user has signed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it says then which of the user's sessions.
    pub backchannel_logout_session_required: bool,
}

/// How often the provider told its client that a user has signed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct LogoutCounts {
    /// Messages that the client took.
    pub logouts_taken: u64,
    /// Messages that it refused, or did not answer in time.
    pub logouts_refused: u64,
    /// Messages, taken or refused, that named the user (`sub`) and not the session (`sid`) alone.
    pub logouts_with_sub: u64,
}

impl OidcProvider {
    /// Installs it where it is not yet, starts it, and waits until it answers. Its client is nowhere.
    ///
    /// # Errors
    /// No Node 20 or npm on this machine (the text is the command that installs them), a registry that can't be reached, or a
    /// provider that did not come up: the text then holds its output.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_for(&ClientAddresses {
            redirect_uris: vec![sign_in::CALLBACK.to_owned()],
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
        })
    }

    /// The same for a client at these addresses.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_for(client: &ClientAddresses) -> Result<Self, ServerError> {
        Self::start_with(client, OidcProviderSettings::default())
    }

    /// The same with these settings.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        client: &ClientAddresses,
        settings: OidcProviderSettings,
    ) -> Result<Self, ServerError> {
        let port = Port::reserve()?;
        let options = ProgramOptions {
            issuer: format!("http://{}", port.address()),
            settings,
        };
        let mut provider = Self::start_at(port.number(), client, &options)?;
        provider.port = Some(port);
        Ok(provider)
    }

    /// Installs it where it is not yet.
    pub(super) fn install() -> Result<(), ServerError> {
        PROGRAM.install().map(drop)
    }

    /// Starts it at a port that the caller has reserved.
    pub(super) fn start_at(
        port: u16,
        client: &ClientAddresses,
        options: &ProgramOptions,
    ) -> Result<Self, ServerError> {
        let installed = PROGRAM.install()?;
        let folder = tempfile::Builder::new()
            .prefix("token-cache-oidc-provider-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let (id, secret) = CLIENT;
        let mut registration = json!({ "client_id": id, "client_secret": secret });
        if let (Some(registration), Value::Object(client)) =
            (registration.as_object_mut(), json!(client))
        {
            registration.extend(client);
        }
        let arguments = [
            installed.program.display().to_string(),
            port.to_string(),
            registration.to_string(),
            json!(options).to_string(),
        ];
        let log = folder.path().join("output.log");
        let mut process = Process::start(&installed.node, &arguments, log)?;
        let up = wait::until(START_LIMIT, "the provider does not listen", || {
            if process.has_exited() {
                return Some(false);
            }
            std::net::TcpStream::connect(("127.0.0.1", port))
                .is_ok()
                .then_some(true)
        })?;
        if !up {
            return Err(ServerError::new(format!(
                "the provider ended: {}",
                process.output()
            )));
        }
        Ok(Self {
            _process: process,
            issuer: options.issuer.clone(),
            port: None,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:…`.
    pub fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// What it says at a path, such as `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4) or `/jwks`.
    ///
    /// # Errors
    /// It does not answer, or says something else than `T` has.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ServerError> {
        let url = format!("{}{path}", self.issuer());
        browser::read(&browser::get(&url, None).await?)
    }

    /// A user signs in and consents, as in a browser with no cookies; the app exchanges the code: the token response.
    ///
    /// # Errors
    /// A step that is not answered as it should be.
    pub async fn sign_in(&self, subject: &str) -> Result<Value, ServerError> {
        sign_in::sign_in(&self.issuer(), subject).await
    }

    /// What has happened so far, by the provider's own account. It has no grace.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn counts(&self) -> Result<ProviderCounts, ServerError> {
        self.read("/counts").await
    }

    /// What has become of its messages to the client.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn logouts(&self) -> Result<LogoutCounts, ServerError> {
        self.read("/counts").await
    }

    /// Whether this access token is still accepted, at the userinfo endpoint.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn is_live(&self, access_token: &str) -> Result<bool, ServerError> {
        let url = format!("{}/me", self.issuer());
        let answer = browser::get(&url, Some(access_token)).await?;
        Ok(answer.status == 200)
    }
}

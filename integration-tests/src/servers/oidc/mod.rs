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

/// The id and the secret of the provider's only client.
pub(super) const CLIENT: (&str, &str) = (super::CLIENT_ID, super::CLIENT_SECRET);

const PROGRAM: NpmProgram = NpmProgram {
    name: "oidc-provider",
    package: include_str!("../../../oidc-provider/package.json"),
    lock: include_str!("../../../oidc-provider/package-lock.json"),
    program: include_str!("../../../oidc-provider/program.mjs"),
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// The certified OpenID provider of npm (`oidc-provider`) on loopback, in a process of its own. Refresh tokens rotate, and the reuse of one
/// revokes its grant.
///
/// Its only client is [`CLIENT_ID`](super::CLIENT_ID) with [`CLIENT_SECRET`](super::CLIENT_SECRET). Users sign in with any name, by the
/// forms that a browser would be shown. Its package is installed once, beside this program, in the versions that a lock file pins.
#[derive(Debug)]
pub struct OidcProvider {
    _process: Process,
    issuer: String,
    /// The provider's own port reservation, if it made one.
    port: Option<Port>,
    _folder: TempDir,
}

/// A test's settings of the provider.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct OidcProviderSettings {
    /// The signature algorithm of ID tokens and logout tokens: `ES256` or `RS256`.
    pub algorithm: &'static str,
    /// Lifetime of access tokens, in seconds.
    pub access_token_seconds: u16,
    /// `true` if a logout token names the user (`sub`) as well as the session (`sid`). OpenID Connect Back-Channel Logout 1.0, section 2.4,
    /// allows either alone.
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

/// The options of the provider's program.
#[derive(Debug, Serialize)]
pub(super) struct ProgramOptions {
    /// The origin that browsers and apps use: the provider's own, or that of a proxy in front of it.
    pub(super) issuer: String,
    #[serde(flatten)]
    pub(super) settings: OidcProviderSettings,
}

/// The addresses of the provider's only client (OpenID Connect Dynamic Client Registration 1.0 section 2, RP-Initiated Logout 1.0
/// section 3.1, Back-Channel Logout 1.0 section 2.2).
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct ClientAddresses {
    /// The addresses to which users return with a code.
    pub redirect_uris: Vec<String>,
    /// The addresses to which users return after a sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The address to which the provider sends its logout messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// `true` if a logout message must name the session.
    pub backchannel_logout_session_required: bool,
}

/// Counts of the provider's logout messages to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct LogoutCounts {
    /// Messages that the client accepted.
    pub logouts_taken: u64,
    /// Messages that the client refused, or did not answer in time.
    pub logouts_refused: u64,
    /// Messages, accepted or refused, that named the user (`sub`) and not only the session (`sid`).
    pub logouts_with_sub: u64,
}

impl OidcProvider {
    /// Installs it if necessary, starts it, and waits until it answers. Its client has no addresses.
    ///
    /// # Errors
    /// Node 20 or npm is missing (the message contains the command that installs them), a registry cannot be reached, or the provider did
    /// not start (the message contains its output).
    pub fn start() -> Result<Self, ServerError> {
        Self::start_for(&ClientAddresses {
            redirect_uris: vec![sign_in::CALLBACK.to_owned()],
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
        })
    }

    /// Starts it for a client at these addresses.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_for(client: &ClientAddresses) -> Result<Self, ServerError> {
        Self::start_with(client, OidcProviderSettings::default())
    }

    /// Starts it with these settings.
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

    /// Installs it if it is not installed.
    pub(super) fn install() -> Result<(), ServerError> {
        PROGRAM.install().map(drop)
    }

    /// Starts it on a port that the caller has reserved.
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

    /// Returns the issuer, `http://127.0.0.1:…`.
    pub fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// Returns the JSON at a path, such as `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4) or `/jwks`.
    ///
    /// # Errors
    /// It does not answer, or the answer cannot be parsed as `T`.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ServerError> {
        let url = format!("{}{path}", self.issuer());
        browser::read(&browser::get(&url, None).await?)
    }

    /// Signs a user in, with consent, as in a browser without cookies, and exchanges the code as the app. Returns the token response.
    ///
    /// # Errors
    /// A step gets an unexpected answer.
    pub async fn sign_in(&self, subject: &str) -> Result<Value, ServerError> {
        sign_in::sign_in(&self.issuer(), subject).await
    }

    /// Returns the counts so far, as the provider reports them. It has no grace period.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn counts(&self) -> Result<ProviderCounts, ServerError> {
        self.read("/counts").await
    }

    /// Returns the counts of its messages to the client.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn logouts(&self) -> Result<LogoutCounts, ServerError> {
        self.read("/counts").await
    }

    /// Returns `true` if the userinfo endpoint still accepts this access token.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn is_live(&self, access_token: &str) -> Result<bool, ServerError> {
        let url = format!("{}/me", self.issuer());
        let answer = browser::get(&url, Some(access_token)).await?;
        Ok(answer.status == 200)
    }
}

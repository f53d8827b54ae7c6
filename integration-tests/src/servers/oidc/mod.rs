use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use super::oauth::ProviderCounts;
use super::port::Port;
use super::process::Process;
use super::{ServerError, wait};

mod browser;
mod install;
mod sign_in;

use self::install::Installed;

/// The one client that the provider knows, and its secret.
pub(super) const CLIENT: (&str, &str) = (super::CLIENT_ID, super::CLIENT_SECRET);

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
    port: Port,
    _folder: TempDir,
}

impl OidcProvider {
    /// Installs it where it is not yet, starts it, and waits until it answers.
    ///
    /// # Errors
    /// No Node 20 or npm on this machine (the text is the command that installs them), a registry that can't be reached, or a
    /// provider that did not come up: the text then holds its output.
    pub fn start() -> Result<Self, ServerError> {
        let installed = Installed::once()?;
        let folder = tempfile::Builder::new()
            .prefix("token-cache-oidc-provider-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let port = Port::reserve()?;
        let (id, secret) = CLIENT;
        let arguments = [
            installed.program.display().to_string(),
            port.number().to_string(),
            id.to_owned(),
            secret.to_owned(),
        ];
        let log = folder.path().join("output.log");
        let mut process = Process::start(&installed.node, &arguments, log)?;
        let address = port.address();
        let up = wait::until(START_LIMIT, "the provider does not listen", || {
            if process.has_exited() {
                return Some(false);
            }
            std::net::TcpStream::connect(address)
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
            port,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:…`.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.port.address())
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

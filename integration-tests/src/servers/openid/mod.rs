//! OpenID providers of other projects. Each is started for one client, behind a recording proxy.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::process::Process;
use super::{AppAddresses, CLIENT_ID, CLIENT_SECRET, OidcProvider, ServerError, wait};
use crate::browser::Window;

mod certified;
mod debian;
mod glewlwyd;
mod http;
mod hydra;
mod idpyoidc;
mod install;
mod key_pair;
mod keycloak;
mod lemonldap;
mod listening;
mod recorder;

pub use self::recorder::Exchange;
use self::recorder::Recorder;

/// Lifetime of access tokens of these providers, in seconds. It is so short that a test can wait until they are due.
const ACCESS_TOKEN_SECONDS: u16 = 4;

/// The client's secret at providers that do not decode it as RFC 6749 section 2.3.1 requires.
const PLAIN_SECRET: &str = "only-for-a-test.a-secret-without-escapes";

/// The user who signs in, at providers at which tests can create users.
const USER: &str = "ada";
/// That user's password.
const PASSWORD: &str = "only-for-a-test";

/// Keycloak starts in minutes on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(400);

/// An OpenID provider of another project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the table of tests names them all")]
pub enum OpenIdProvider {
    /// `oidc-provider` of npm, certified by the OpenID Foundation.
    Certified,
    /// Debian's Glewlwyd.
    Glewlwyd,
    /// Ory Hydra, with its data in memory.
    Hydra,
    /// `idpyoidc` of `PyPI`.
    Idpyoidc,
    /// Keycloak, with its data in memory.
    Keycloak,
    /// Debian's `LemonLDAP::NG`.
    LemonLdap,
}

/// The channel by which a provider notifies the app of a sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum LogoutChannel {
    /// By a request of its own (OpenID Connect Back-Channel Logout 1.0).
    Back,
    /// By a frame in the user's browser (OpenID Connect Front-Channel Logout 1.0).
    Front,
}

impl LogoutChannel {
    /// Returns the path of the app's route for it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Back => "/backchannel-logout",
            Self::Front => "/frontchannel-logout",
        }
    }
}

/// The client that is registered at a provider, as `CLIENT_ID`.
struct ClientRegistration {
    secret: &'static str,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    channel: LogoutChannel,
    logout_uri: String,
}

/// The pages of a provider, which a user operates in a browser.
trait Pages: fmt::Debug {
    /// Signs the user in, from the page that the app has sent the browser to.
    fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError>;

    /// Confirms a sign-out that the app has requested.
    fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError>;

    /// Signs out at the provider's own page, without the app.
    fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError>;

    /// Ends all sessions of the user, as an administrator does, or by the provider's closest function.
    fn sign_out_everywhere(&self, window: Window<'_>) -> Result<(), ServerError>;

    /// Revokes all tokens of the user as an administrator does, if that is a separate step.
    fn revoke_tokens(&self) -> Result<(), ServerError> {
        Err(ServerError::new("tokens end with the sessions"))
    }
}

/// A started provider, with recording proxies in front of it and of the app's route for logout messages.
#[derive(Debug)]
pub struct RunningProvider {
    // The fields are dropped in this order.
    at_provider: Recorder,
    at_app: Recorder,
    pages: Box<dyn Pages>,
    issuer: String,
    secret: &'static str,
    _ports: [Port; 2],
}

/// The address at which a provider listens, and the one that it uses as its issuer.
#[derive(Debug)]
struct Place {
    /// The provider's own port, behind the proxy.
    port: u16,
    /// The proxy's origin. It is the only one that browsers and apps know.
    origin: String,
}

impl OpenIdProvider {
    /// All providers.
    pub const ALL: [Self; 6] = [
        Self::Certified,
        Self::Glewlwyd,
        Self::Hydra,
        Self::Idpyoidc,
        Self::Keycloak,
        Self::LemonLdap,
    ];

    /// Installs the provider and, if this process is root, the Debian packages that it is or needs. Tests do not install packages.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub fn install_with_packages(self) -> Result<(), ServerError> {
        match self {
            Self::Certified => {}
            Self::Glewlwyd => debian::install(&glewlwyd::PACKAGES)?,
            Self::Hydra => debian::install(&hydra::PACKAGES)?,
            Self::Idpyoidc => debian::install(&idpyoidc::PACKAGES)?,
            Self::Keycloak => debian::install(&keycloak::PACKAGES)?,
            Self::LemonLdap => debian::install(&lemonldap::PACKAGES)?,
        }
        self.install()
    }

    /// Installs the provider if it is not installed yet.
    ///
    /// # Errors
    /// It cannot be installed on this machine, or its registry cannot be reached. The message says how to fix that.
    pub fn install(self) -> Result<(), ServerError> {
        match self {
            Self::Certified => OidcProvider::install(),
            Self::Glewlwyd => glewlwyd::install().map(drop),
            Self::Hydra => hydra::install().map(drop),
            Self::Idpyoidc => idpyoidc::install().map(drop),
            Self::Keycloak => keycloak::install().map(drop),
            Self::LemonLdap => lemonldap::install().map(drop),
        }
    }

    /// Installs the provider if it is not installed yet, and starts it for the app's servers at `app`. Logout messages for the app
    /// go to its first server, through a proxy that records them.
    ///
    /// # Errors
    /// A program or package that the provider needs is missing (the message contains the command that installs it), or the provider did not
    /// start (the message contains its output).
    pub fn start(
        self,
        app: &AppAddresses,
        channel: LogoutChannel,
    ) -> Result<RunningProvider, ServerError> {
        let (port, messages) = (Port::reserve()?, Port::reserve()?);
        let at_app = Recorder::start(messages.address(), app.address(0))?;
        let secret = match self {
            Self::Certified => CLIENT_SECRET,
            _ => PLAIN_SECRET,
        };
        let registration = ClientRegistration {
            secret,
            redirect_uris: app.each("/callback"),
            post_logout_redirect_uris: app.each("/signed-out"),
            channel,
            // It is on another site than the provider.
            logout_uri: format!("http://localhost:{}{}", messages.number(), channel.path()),
        };
        let at_provider = Recorder::start(port.pair_address(), port.address())?;
        let place = Place {
            port: port.number(),
            origin: format!("http://{}", port.pair_address()),
        };
        let (issuer, pages) = match self {
            Self::Certified => certified::start(&place, &registration)?,
            Self::Glewlwyd => glewlwyd::start(&place, &registration)?,
            Self::Hydra => hydra::start(&place, &registration)?,
            Self::Idpyoidc => idpyoidc::start(&place, &registration)?,
            Self::Keycloak => keycloak::start(&place, &registration)?,
            Self::LemonLdap => lemonldap::start(&place, &registration)?,
        };
        Ok(RunningProvider {
            at_provider,
            at_app,
            pages,
            issuer,
            secret,
            _ports: [port, messages],
        })
    }
}

impl RunningProvider {
    /// Returns the issuer, as the discovery document has it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the secret of its client, [`CLIENT_ID`].
    pub fn secret(&self) -> &str {
        self.secret
    }

    /// Returns the requests of browsers and apps to the provider at paths with this ending, oldest first.
    pub fn asked(&self, path_end: &str) -> Vec<Exchange> {
        self.at_provider.at(path_end)
    }

    /// Returns the logout messages that the app has received so far, oldest first.
    pub fn messages(&self, channel: LogoutChannel) -> Vec<Exchange> {
        self.at_app.at(channel.path())
    }

    /// Signs the user in, from the page that the app has sent the browser to.
    ///
    /// # Errors
    /// A page is not as expected.
    pub fn sign_in(&self, window: Window<'_>) -> Result<(), ServerError> {
        self.pages.sign_in(window)
    }

    /// Confirms a sign-out that the app has requested (OpenID Connect RP-Initiated Logout 1.0).
    ///
    /// # Errors
    /// A page is not as expected.
    pub fn confirm_sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        self.pages.confirm_sign_out(window)
    }

    /// Signs out at the provider's own page, without the app.
    ///
    /// # Errors
    /// A page is not as expected.
    pub fn sign_out(&self, window: Window<'_>) -> Result<(), ServerError> {
        self.pages.sign_out(window)
    }

    /// Ends all sessions of the user, as an administrator does, or by the provider's closest function. `window` is one of the user's.
    ///
    /// # Errors
    /// The provider has no such function, or does not answer as expected.
    pub fn sign_out_everywhere(&self, window: Window<'_>) -> Result<(), ServerError> {
        self.pages.sign_out_everywhere(window)
    }

    /// Revokes all tokens of the user as an administrator does, if that is a separate step.
    ///
    /// # Errors
    /// It is not a separate step, or the provider responds unexpectedly.
    pub fn revoke_tokens(&self) -> Result<(), ServerError> {
        self.pages.revoke_tokens()
    }
}

/// A provider's process and its folder, which is removed when it ends.
#[derive(Debug)]
struct Hosted {
    _process: Process,
    _folder: TempDir,
}

fn folder(provider: &str) -> Result<TempDir, ServerError> {
    tempfile::Builder::new()
        .prefix(&format!("token-cache-{provider}-"))
        .tempdir()
        .map_err(ServerError::during("could not make a folder"))
}

impl Hosted {
    /// Starts a provider's program and waits until it listens at `port`.
    fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, &str)],
        (folder, port): (TempDir, u16),
    ) -> Result<Self, ServerError> {
        let log = folder.path().join("output.log");
        let mut process = Process::start_with(program, arguments, environment, log)?;
        let up = wait::until(START_LIMIT, "the provider does not listen", || {
            if process.has_exited() {
                return Some(false);
            }
            let connected = std::net::TcpStream::connect(("127.0.0.1", port));
            connected.is_ok().then_some(true)
        });
        match up {
            Ok(true) => Ok(Self {
                _process: process,
                _folder: folder,
            }),
            Ok(false) => Err(ServerError::new(format!(
                "{} ended: {}",
                program.display(),
                process.output()
            ))),
            Err(error) => Err(ServerError::new(format!("{error}: {}", process.output()))),
        }
    }
}

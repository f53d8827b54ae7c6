use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::process::Process;
use super::{
    ANY_CREDENTIALS, CLIENT_ID, CLIENT_SECRET, ClientAddresses, ServerError, binary, wait,
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// The app servers of `cargo demo -- --serve`, in a process of their own.
pub struct DemoServers {
    _process: Process,
    addresses: DemoAddresses,
    _folder: TempDir,
}

/// Where the demo's app servers are, or will be: their ports are theirs from now on.
#[derive(Debug)]
pub struct DemoAddresses {
    ports: Vec<Port>,
}

/// Where the demo's users sign in.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "its own provider or another")]
pub enum SignsInAt<'a> {
    /// The development provider that the demo brings, which tells of a sign-out by this channel: `back`, `front` or `both`.
    ItsOwn(&'a str),
    /// The provider of this issuer, as [`CLIENT_ID`] with [`CLIENT_SECRET`].
    Issuer(&'a str),
    /// The provider of this issuer, as [`CLIENT_ID`] with this secret.
    Client(&'a str, &'a str),
}

impl DemoAddresses {
    /// Room for so many app servers.
    ///
    /// # Errors
    /// No row of free ports.
    pub fn reserve(servers: u16) -> Result<Self, ServerError> {
        Port::reserve_row(servers).map(|ports| Self { ports })
    }

    /// Of one server: `http://localhost:…`. Another site than a provider at `127.0.0.1`.
    ///
    /// # Panics
    /// Where there is no such server.
    pub fn of(&self, server: usize) -> String {
        format!("http://localhost:{}", self.ports[server].number())
    }

    pub(super) fn address(&self, server: usize) -> SocketAddr {
        self.ports[server].address()
    }

    /// The address of this path at each server.
    pub(super) fn each(&self, path: &str) -> Vec<String> {
        let servers = 0..self.ports.len();
        servers.map(|at| format!("{}{path}", self.of(at))).collect()
    }

    /// What a provider has to know of them: it tells the first of a sign-out, and that one only.
    pub fn registration(&self) -> ClientAddresses {
        ClientAddresses {
            redirect_uris: self.each("/callback"),
            post_logout_redirect_uris: self.each("/signed-out"),
            backchannel_logout_uri: Some(format!("{}/backchannel-logout", self.of(0))),
            backchannel_logout_session_required: true,
        }
    }
}

impl DemoServers {
    /// Starts them on a store, and waits until they answer.
    ///
    /// # Errors
    /// The demo was not built (the text is the command that does), or it ended: the text then holds its output.
    pub fn start(
        addresses: DemoAddresses,
        signs_in_at: SignsInAt<'_>,
        store: &str,
    ) -> Result<Self, ServerError> {
        Self::start_with(addresses, signs_in_at, store, &[])
    }

    /// The same, with further arguments of `--serve`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        addresses: DemoAddresses,
        signs_in_at: SignsInAt<'_>,
        store: &str,
        more: &[&str],
    ) -> Result<Self, ServerError> {
        let program = binary::built("token-cache-demo").ok_or_else(|| {
            ServerError::new(
                "the demo was not built: cargo build -p token-cache-demo --features redis,dynamodb",
            )
        })?;
        let folder = tempfile::Builder::new()
            .prefix("token-cache-demo-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let mut arguments = vec![
            "--serve".to_owned(),
            "--public-url".to_owned(),
            addresses.of(0),
            "--instances".to_owned(),
            addresses.ports.len().to_string(),
            "--store".to_owned(),
            store.to_owned(),
        ];
        match signs_in_at {
            SignsInAt::ItsOwn(channel) => {
                arguments.extend(["--logout-channel", channel].map(str::to_owned));
            }
            SignsInAt::Issuer(issuer) => arguments.extend(client(issuer, CLIENT_SECRET)),
            SignsInAt::Client(issuer, secret) => arguments.extend(client(issuer, secret)),
        }
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let log = folder.path().join("output.log");
        let mut process = Process::start_with(&program, &arguments, &ANY_CREDENTIALS, log)?;
        for port in &addresses.ports {
            let serves = wait::until(START_LIMIT, "the demo does not serve", || {
                if process.has_exited() {
                    return Some(false);
                }
                is_healthy(port).then_some(true)
            });
            if !serves? {
                return Err(ServerError::new(format!(
                    "the demo ended: {}",
                    process.output()
                )));
            }
        }
        Ok(Self {
            _process: process,
            addresses,
            _folder: folder,
        })
    }

    /// The address of one server.
    ///
    /// # Panics
    /// Where there is no such server.
    pub fn of(&self, server: usize) -> String {
        self.addresses.of(server)
    }
}

fn client(issuer: &str, secret: &str) -> [String; 6] {
    [
        "--issuer",
        issuer,
        "--client-id",
        CLIENT_ID,
        "--client-secret",
        secret,
    ]
    .map(str::to_owned)
}

fn is_healthy(port: &Port) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(port.address())?;
        write!(
            connection,
            "GET /healthz HTTP/1.0\r\nHost: {}\r\n\r\n",
            port.address()
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| {
        answer
            .lines()
            .next()
            .is_some_and(|status| status.contains(" 200"))
    })
}

impl fmt::Debug for DemoServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoServers")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

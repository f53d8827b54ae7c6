use std::{env, fmt};

use tempfile::TempDir;

use super::process::Process;
use super::{ANY_CREDENTIALS, AppAddresses, CLIENT_ID, CLIENT_SECRET, ServerError, binary};

/// The app servers of `cargo demo -- --serve`, in a process of their own.
pub struct DemoServers {
    _process: Process,
    addresses: AppAddresses,
    _folder: TempDir,
}

/// The provider at which the demo's users sign in.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the demo's own provider or another"
)]
pub enum SignsInAt<'a> {
    /// The demo's own development provider, which sends logout messages by this channel: `back`, `front` or `both`.
    ItsOwn(&'a str),
    /// The provider of this issuer, with [`CLIENT_ID`] and [`CLIENT_SECRET`].
    Issuer(&'a str),
    /// The provider of this issuer, with [`CLIENT_ID`] and this secret.
    Client(&'a str, &'a str),
}

impl DemoServers {
    /// Starts the servers on a store, and waits until they answer.
    ///
    /// # Errors
    /// The demo was not built (the message contains the command), or it ended (the message contains its output).
    pub fn start(
        addresses: AppAddresses,
        signs_in_at: SignsInAt<'_>,
        store: &str,
    ) -> Result<Self, ServerError> {
        Self::start_with(addresses, signs_in_at, store, &[])
    }

    /// Starts the servers with further arguments of `--serve`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        addresses: AppAddresses,
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
            addresses.len().to_string(),
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
        let is_unset = |(name, _): &(&str, &str)| env::var_os(name).is_none();
        let credentials: Vec<_> = ANY_CREDENTIALS.into_iter().filter(is_unset).collect();
        let mut process = Process::start_with(&program, &arguments, &credentials, log)?;
        for server in 0..addresses.len() {
            addresses.wait_for(server, "/healthz", &mut process)?;
        }
        Ok(Self {
            _process: process,
            addresses,
            _folder: folder,
        })
    }

    /// Returns the address of one server.
    ///
    /// # Panics
    /// Panics if there is no such server.
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

impl fmt::Debug for DemoServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoServers")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

use tempfile::TempDir;

use super::process::Process;
use super::{AppAddresses, CLIENT_ID, CLIENT_SECRET, ServerError, binary};

/// The same on every server. It encrypts nothing that outlives a test.
const SECRET: &str = "only for a test: a secret of over 32 bytes";

/// The servers of the tutorial's app (`examples/tutorial`), each a process of its own.
#[derive(Debug)]
pub struct TutorialServers {
    _processes: Vec<Process>,
    addresses: AppAddresses,
    _folder: TempDir,
}

impl TutorialServers {
    /// Starts a server at each address, as the tutorial's section 6 does, and waits until all of them answer. They share the store at
    /// this URL, and sign users in at the provider of this issuer as [`CLIENT_ID`] with [`CLIENT_SECRET`].
    ///
    /// # Errors
    /// The app was not built (the message contains the command), or a server ended or does not answer (the message contains its output).
    pub fn start(addresses: AppAddresses, issuer: &str, store: &str) -> Result<Self, ServerError> {
        let program = binary::built("token-cache-example-tutorial").ok_or_else(|| {
            ServerError::new(
                "the tutorial's app was not built: cargo build -p token-cache-example-tutorial",
            )
        })?;
        let folder = tempfile::Builder::new()
            .prefix("token-cache-tutorial-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let mut processes = Vec::new();
        for server in 0..addresses.len() {
            let (public_url, listen) = (addresses.of(server), addresses.address(server));
            let environment = [
                ("ISSUER", issuer),
                ("CLIENT_ID", CLIENT_ID),
                ("CLIENT_SECRET", CLIENT_SECRET),
                ("STORE", store),
                ("TOKEN_CACHE_SECRET", SECRET),
                ("PUBLIC_URL", public_url.as_str()),
                ("LISTEN", &listen.to_string()),
            ];
            let log = folder.path().join(format!("server-{server}.log"));
            let process = Process::start_with(&program, &[], &environment, log)?;
            processes.push(process);
        }
        for (server, process) in processes.iter_mut().enumerate() {
            addresses.wait_for(server, "/", process)?;
        }
        Ok(Self {
            _processes: processes,
            addresses,
            _folder: folder,
        })
    }

    /// Returns the origin of one server.
    ///
    /// # Panics
    /// Panics if there is no such server.
    pub fn of(&self, server: usize) -> String {
        self.addresses.of(server)
    }
}

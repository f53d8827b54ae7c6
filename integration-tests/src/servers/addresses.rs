use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::port::Port;
use super::process::Process;
use super::{ClientAddresses, ServerError, wait};

const START_LIMIT: Duration = Duration::from_secs(30);

/// The addresses of an app's servers. No other test gets their ports while this value exists.
#[derive(Debug)]
pub struct AppAddresses {
    ports: Vec<Port>,
}

impl AppAddresses {
    /// Reserves addresses for `servers` app servers.
    ///
    /// # Errors
    /// There is no row of free ports.
    pub fn reserve(servers: u16) -> Result<Self, ServerError> {
        Port::reserve_row(servers).map(|ports| Self { ports })
    }

    /// Returns the origin of one server, `http://localhost:…`. It is on another site than a provider at `127.0.0.1`.
    ///
    /// # Panics
    /// Panics if there is no such server.
    pub fn of(&self, server: usize) -> String {
        format!("http://localhost:{}", self.ports[server].number())
    }

    /// Returns the client's addresses for a provider. The provider sends its logout messages only to the first server.
    pub fn registration(&self) -> ClientAddresses {
        ClientAddresses {
            redirect_uris: self.each("/callback"),
            post_logout_redirect_uris: self.each("/signed-out"),
            backchannel_logout_uri: Some(format!("{}/backchannel-logout", self.of(0))),
            backchannel_logout_session_required: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ports.len()
    }

    pub(super) fn address(&self, server: usize) -> SocketAddr {
        self.ports[server].address()
    }

    /// Returns the address of this path at each server.
    pub(super) fn each(&self, path: &str) -> Vec<String> {
        let servers = 0..self.len();
        servers.map(|at| format!("{}{path}", self.of(at))).collect()
    }

    /// Waits until this server answers a GET of `path` with 200.
    ///
    /// # Errors
    /// Its process ended, or it does not answer in time. The message contains the process's output.
    pub(super) fn wait_for(
        &self,
        server: usize,
        path: &str,
        process: &mut Process,
    ) -> Result<(), ServerError> {
        let address = self.address(server);
        let up = wait::until(START_LIMIT, "the app server does not answer", || {
            if process.has_exited() {
                return Some(false);
            }
            answers(address, path).then_some(true)
        });
        match up {
            Ok(true) => Ok(()),
            Ok(false) => Err(ServerError::new(format!(
                "the app server at {address} ended: {}",
                process.output()
            ))),
            Err(error) => Err(ServerError::new(format!(
                "{address}: {error}: {}",
                process.output()
            ))),
        }
    }
}

fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address)?;
        write!(connection, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| {
        let status = answer.lines().next();
        status.is_some_and(|status| status.contains(" 200"))
    })
}

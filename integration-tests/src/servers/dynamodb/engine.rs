use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{TABLE, client, program, table};
use crate::servers::port::Port;
use crate::servers::process::Process;
use crate::servers::{ServerError, wait};

const START_LIMIT: Duration = Duration::from_secs(10);
const PORT_ATTEMPTS: usize = 5;
const DATA: &str = "data.sqlite";

/// Where an engine keeps what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// In memory: killed, it has lost everything.
    InMemory,
    /// In a file: killed, it comes back with all that it had acknowledged.
    InFile,
}

/// A DynamoDB engine (dynoxide) as a process of the test's own on a loopback port, with the table for tests.
///
/// It keeps its port over [`kill9`](Self::kill9) and [`restart`](Self::restart), and is gone with its data when it is
/// dropped. Where it differs from AWS: it never throttles, never reads stale, has no IAM, and deletes no expired item of
/// itself. It answers some 900 conditional writes a second.
#[derive(Debug)]
pub struct DynamoDbEngine {
    /// `None` while it is down. Dropped before the folder is removed.
    process: Option<Process>,
    program: PathBuf,
    kept: Kept,
    port: Port,
    folder: TempDir,
}

impl DynamoDbEngine {
    /// Starts one and waits until it answers and has its table.
    ///
    /// # Errors
    /// Its program is not built (the text is the command that builds it), or it did not come up.
    pub fn start(kept: Kept) -> Result<Self, ServerError> {
        let program = program::engine()?;
        let mut attempts = 1;
        loop {
            let folder = tempfile::Builder::new()
                .prefix("token-cache-dynamodb-")
                .tempdir()
                .map_err(ServerError::during("could not make a data folder"))?;
            let mut engine = Self {
                process: None,
                program: program.clone(),
                kept,
                port: Port::reserve()?,
                folder,
            };
            match engine.restart() {
                Ok(()) => return Ok(engine),
                // The port was taken by somebody outside these tests.
                Err(error) if error.to_string().contains("in use") && attempts < PORT_ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts it again after [`kill9`](Self::kill9) on the same port, over what it has kept. The table is there again.
    ///
    /// # Errors
    /// It runs already, or did not come up.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        if self.process.is_some() {
            return Err(ServerError::new("the engine runs already"));
        }
        let mut args = vec![
            "--forever".to_owned(),
            "--port".to_owned(),
            self.port.number().to_string(),
        ];
        if self.kept == Kept::InFile {
            let data = self.folder.path().join(DATA);
            args.extend(["--file".to_owned(), data.display().to_string()]);
        }
        let log = self.folder.path().join("output.log");
        // What an earlier process said of its address is not this one's.
        let _ = fs::remove_file(&log);
        let mut process = Process::start(&self.program, &args, log)?;
        let said = self.endpoint();
        let answers = wait::until(START_LIMIT, "the engine does not answer", || {
            if process.has_exited() {
                return Some(false);
            }
            // The line is printed by this very process once it listens: the port can't be somebody else's.
            (process.output().contains(&said) && TcpStream::connect(self.address()).is_ok())
                .then_some(true)
        });
        let ended = match answers {
            Ok(true) => {
                self.process = Some(process);
                return table::ensure(&said);
            }
            Ok(false) => "the engine ended at once".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(ServerError::new(format!(
            "{ended}; it said:\n{}",
            process.output()
        )))
    }

    /// Kills it as `kill -9` does; its port stays reserved.
    ///
    /// # Errors
    /// It is down already.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        self.process.as_mut().ok_or_else(Self::is_down)?.kill9()?;
        self.process = None;
        Ok(())
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing is answered.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.process.as_ref().ok_or_else(Self::is_down)?.pause()
    }

    /// Lets a paused one go on.
    ///
    /// # Errors
    /// It is down.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.process.as_ref().ok_or_else(Self::is_down)?.resume()
    }

    fn is_down() -> ServerError {
        ServerError::new("the engine is down")
    }

    /// 127.0.0.1 and the port.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// `dynamodb://…`: the table for tests in this engine.
    pub fn url(&self) -> String {
        store_url(&self.endpoint())
    }

    /// A client of the plain SDK.
    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        client(&self.endpoint())
    }

    /// The process, while it is up.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

/// The table for tests behind an endpoint, as a store's URL.
pub(super) fn store_url(endpoint: &str) -> String {
    format!(
        "dynamodb://{TABLE}?region={}&endpoint={endpoint}",
        client::region()
    )
}

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

/// The storage of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// In memory. A kill loses everything.
    InMemory,
    /// In a file. After a kill, everything that was acknowledged is still there.
    InFile,
}

/// A DynamoDB engine (dynoxide) as a process of the test's own on a loopback port, with the table for tests.
///
/// [`kill9`](Self::kill9) and [`restart`](Self::restart) retain its port. Dropping it removes its data. It differs from AWS: it never
/// throttles, never returns stale reads, has no IAM, and never deletes an expired item. It answers some 900 conditional writes a second.
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
    /// Starts an engine, and waits until it answers and has its table.
    ///
    /// # Errors
    /// Its program is not built (the message contains the command that builds it), or it did not start.
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
                // A process outside these tests took the port.
                Err(error) if error.to_string().contains("in use") && attempts < PORT_ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Restarts it after [`kill9`](Self::kill9) on the same port, with its persisted data. The table exists again.
    ///
    /// # Errors
    /// It is running already, or it did not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        if self.process.is_some() {
            return Err(ServerError::new("the engine is running already"));
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
        // The log may contain the address of an earlier process.
        let _ = fs::remove_file(&log);
        let mut process = Process::start(&self.program, &args, log)?;
        let said = self.endpoint();
        let answers = wait::until(START_LIMIT, "the engine does not answer", || {
            if process.has_exited() {
                return Some(false);
            }
            // This very process prints the line once it listens, so the port cannot belong to another process.
            (process.output().contains(&said) && TcpStream::connect(self.address()).is_ok())
                .then_some(true)
        });
        let ended = match answers {
            Ok(true) => {
                self.process = Some(process);
                return table::ensure(&said);
            }
            Ok(false) => "the engine exited at once".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(ServerError::new(format!(
            "{ended}. Its output:\n{}",
            process.output()
        )))
    }

    /// Kills it as `kill -9` does. Its port stays reserved.
    ///
    /// # Errors
    /// It is down already.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        self.process.as_mut().ok_or_else(Self::is_down)?.kill9()?;
        self.process = None;
        Ok(())
    }

    /// Pauses it (SIGSTOP). Connections stay open, but nothing is answered.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.process.as_ref().ok_or_else(Self::is_down)?.pause()
    }

    /// Resumes a paused engine.
    ///
    /// # Errors
    /// It is down.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.process.as_ref().ok_or_else(Self::is_down)?.resume()
    }

    fn is_down() -> ServerError {
        ServerError::new("the engine is down")
    }

    /// Returns its address: 127.0.0.1 and the port.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Returns its endpoint, `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns the store URL of the table for tests in this engine, `dynamodb://…`.
    pub fn url(&self) -> String {
        store_url(&self.endpoint())
    }

    /// Returns a client of the plain SDK.
    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        client(&self.endpoint())
    }

    /// Returns the pid while it is running.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

/// Returns the store URL of the table for tests at an endpoint.
pub(super) fn store_url(endpoint: &str) -> String {
    format!(
        "dynamodb://{TABLE}?region={}&endpoint={endpoint}",
        client::region()
    )
}

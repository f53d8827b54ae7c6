use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A server, kept by a process of its own until this value is dropped.
#[derive(Debug)]
pub(super) struct Held {
    holder: Child,
    /// The line that the holder printed.
    said: String,
}

impl Held {
    /// A local Redis.
    pub(super) fn redis(servers: Command) -> Outcome<Self> {
        Self::start(servers, "--hold")
    }

    /// The DynamoDB that tests run on; which one it is goes to standard error.
    pub(super) fn dynamodb(servers: Command) -> Outcome<Self> {
        Self::start(servers, "--hold-dynamodb")
    }

    fn start(mut servers: Command, argument: &str) -> Outcome<Self> {
        let what = format!("servers {argument}");
        servers
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = servers.spawn().map_err(Failure::during(&what))?;
        let mut line = String::new();
        if let Some(output) = holder.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(Failure::during(&what))?;
        }
        let said = line.trim().to_owned();
        let held = Self { holder, said };
        if held.said.is_empty() {
            Err(Failure::new(format!("{what}: no server")))
        } else {
            Ok(held)
        }
    }

    /// Returns the URL for apps: the first word that a DynamoDB's holder printed.
    pub(super) fn url(&self) -> &str {
        self.said.split(' ').next().unwrap_or_default()
    }

    /// Returns the address: the last word that the holder printed.
    pub(super) fn at(&self) -> &str {
        self.said.rsplit(' ').next().unwrap_or_default()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Its end of input tells the holder to stop the server.
        drop(self.holder.stdin.take());
        // It has ended, or never started.
        let _ = self.holder.wait();
    }
}

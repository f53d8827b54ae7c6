use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use tokio::sync::mpsc::unbounded_channel;

use super::Wire;
use crate::{failure::Failure, message::ToServer};

/// An app server's process. It ends with this value.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server as a process. Its settings go by standard input, because every user of the machine can read arguments.
pub(super) fn start(program: &Path) -> Result<(Process, Wire), Failure> {
    let mut child = Command::new(program)
        .arg("--server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("an app server's process: {error}")))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let process = Process(child);
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(Failure::new("an app server's process has no pipes"));
    };

    let (to, mut messages) = unbounded_channel();
    let (answers, from) = unbounded_channel();
    thread::spawn(move || {
        while let Some(message) = messages.blocking_recv() {
            let Ok(line) = serde_json::to_string::<ToServer>(&message) else {
                return;
            };
            if writeln!(stdin, "{line}").is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let message = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            let Some(message) = message else { return };
            if answers.send(message).is_err() {
                return;
            }
        }
    });
    Ok((process, Wire { to, from }))
}

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Wire;
use crate::{
    caches::ServerCaches,
    failure::Failure,
    message::{FromServer, ToServer},
    server::serve,
};

/// Starts a server as a task of this process.
pub(super) fn start_task(caches: ServerCaches) -> Wire {
    let (to, inbox) = unbounded_channel();
    let (outbox, from) = unbounded_channel();
    tokio::spawn(serve(Some(caches), inbox, outbox));
    Wire { to, from }
}

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
pub(super) fn start_process(program: &Path) -> Result<(Process, Wire), Failure> {
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

/// To be an app server that is spoken to by lines of JSON. It ends when its standard input does.
pub(crate) async fn serve_stdio() {
    let inbox = read_lines();
    let (outbox, mut messages) = unbounded_channel();
    let writer = thread::spawn(move || -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        while let Some(message) = messages.blocking_recv() {
            serde_json::to_writer::<_, FromServer>(&mut stdout, &message)?;
            stdout.write_all(b"\n")?;
            stdout.flush()?;
        }
        Ok(())
    });
    serve(None, inbox, outbox).await;
    // Requests that are still under way end with the process; what a server said of why it did not come up is written first.
    if let Ok(written) = tokio::task::spawn_blocking(move || writer.join()).await {
        let _ = written;
    }
}

/// A thread reads, since a read of standard input can't be cancelled, and must not hold the process back.
fn read_lines() -> UnboundedReceiver<ToServer> {
    let (sender, inbox) = unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let message = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            let Some(message) = message else { return };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    inbox
}

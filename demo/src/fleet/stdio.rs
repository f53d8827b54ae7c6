use std::{
    io::{self, BufRead, Write},
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    message::{FromServer, ToServer},
    server::serve,
};

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

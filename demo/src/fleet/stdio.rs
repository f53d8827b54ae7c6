use std::{
    io::{self, BufRead, Write},
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    columns::Columns,
    failure::Failure,
    message::{FromServer, ToServer},
    server::serve,
    store_url::StoreUrl,
};

/// To be an app server that is spoken to by lines of JSON. It ends when its standard input does.
pub(crate) async fn serve_stdio() {
    let mut inbox = read_lines();
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
    match open(&mut inbox).await {
        // Nobody waits for the writer: requests that are still under way end with the process.
        Ok(columns) => serve(columns, inbox, outbox).await,
        Err(failure) => {
            let message = failure.to_string();
            let _ = outbox.send(FromServer::NotReady { message });
            drop(outbox);
            let _ = writer.join();
        }
    }
}

async fn open(inbox: &mut UnboundedReceiver<ToServer>) -> Result<Columns, Failure> {
    let Some(ToServer::Open { store }) = inbox.recv().await else {
        return Err(Failure::new(
            "--server is for the demo's own use: it needs to be told which store to open",
        ));
    };
    Columns::open(&StoreUrl::parse(&store).map_err(Failure::new)?).await
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

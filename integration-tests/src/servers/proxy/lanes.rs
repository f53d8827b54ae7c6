use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::state::{Apart, Shared};
use crate::servers::resp::Frame;

/// The separate queues of replies and of pushes to one client. Neither waits for the other, so together they are no single ordered stream.
#[derive(Debug)]
pub(super) struct Lanes {
    replies: Sender<Late>,
    pushes: Sender<Late>,
}

/// A message, and when it is forwarded.
#[derive(Debug)]
struct Late {
    due: Instant,
    bytes: Vec<u8>,
}

impl Lanes {
    pub(super) fn open(
        client: &Arc<Mutex<TcpStream>>,
        shared: &Arc<Shared>,
        connection: u64,
    ) -> Self {
        let lane = || {
            let (sender, late) = channel();
            let (client, shared) = (Arc::clone(client), Arc::clone(shared));
            thread::spawn(move || pass(&late, &client, &shared, connection));
            sender
        };
        Self {
            replies: lane(),
            pushes: lane(),
        }
    }

    /// Forwards the messages at the head of `received`.
    pub(super) fn pass(&self, received: &[u8], messages: &[Frame], apart: Option<Apart>) {
        let now = Instant::now();
        let mut start = 0;
        for message in messages {
            let end = start + message.length;
            let delay = apart.map_or(Duration::ZERO, |apart| {
                if message.is_push {
                    apart.pushes
                } else {
                    apart.replies
                }
            });
            let late = Late {
                due: now + delay,
                bytes: received[start..end].to_vec(),
            };
            let way = if message.is_push {
                &self.pushes
            } else {
                &self.replies
            };
            // The queue ends with its connection.
            let _ = way.send(late);
            start = end;
        }
    }
}

fn pass(late: &Receiver<Late>, client: &Mutex<TcpStream>, shared: &Shared, connection: u64) {
    for Late { due, bytes } in late {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        drop(shared.thawed(connection));
        let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.write_all(&bytes).is_err() {
            shared.state().close(connection);
            return;
        }
    }
}

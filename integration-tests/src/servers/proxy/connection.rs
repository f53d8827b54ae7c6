use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Fault;
use super::lanes::Lanes;
use super::state::Shared;
use crate::servers::resp::frame;

const CHUNK: usize = 64 * 1024;
/// In RESP3 the answers to these are pushes, so that no reply is expected.
const SUBSCRIBING: [&str; 3] = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"];
const UNSUBSCRIBING: [&str; 3] = ["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"];

/// The requests in flight, in order, and whether the reply of each is to be dropped.
type PendingAcks = Arc<Mutex<VecDeque<bool>>>;

/// Forwards bytes both ways, each in a thread of its own, until either end is closed.
pub(super) fn serve(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let pending_acks = PendingAcks::default();
    // If there are no more descriptors, both streams are closed here, and the client sees that.
    let Ok([client_too, server_too, client_end, server_end]) = handles(&client, &server) else {
        return;
    };
    let connection = shared.state().open([client_end, server_end]);
    let (up, pending_acks_upstream) = (Arc::clone(shared), Arc::clone(&pending_acks));
    thread::spawn(move || {
        // Whatever the result, the connection ends.
        let _ = pass_requests(client, server, &up, &pending_acks_upstream, connection);
        up.state().close(connection);
    });
    let down = Arc::clone(shared);
    thread::spawn(move || {
        // As above.
        let _ = pass_replies(server_too, client_too, &down, &pending_acks, connection);
        down.state().close(connection);
    });
}

fn handles(client: &TcpStream, server: &TcpStream) -> io::Result<[TcpStream; 4]> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok([
        client.try_clone()?,
        server.try_clone()?,
        client.try_clone()?,
        server.try_clone()?,
    ])
}

fn pass_requests(
    mut client: TcpStream,
    mut server: TcpStream,
    shared: &Shared,
    pending_acks: &PendingAcks,
    connection: u64,
) -> io::Result<()> {
    let mut received = Vec::new();
    while read_more(&mut client, &mut received)? {
        let mut whole = 0;
        while let Some(request) = frame(&received[whole..]).map_err(io::Error::other)? {
            let end = whole + request.length;
            let command = command_of(&received[whole..end]);
            let subscribes = SUBSCRIBING.contains(&command.as_str());
            let owes_reply = !subscribes && !UNSUBSCRIBING.contains(&command.as_str());
            {
                let mut state = shared.state();
                state.arrived += 1;
                if subscribes {
                    state.subscribed(connection);
                }
                if command == "REPLCONF" {
                    state.replicates(connection);
                }
            }
            let fault = {
                let mut state = shared.thawed(connection);
                let fault = state.request(command);
                state.faults += u64::from(fault == Some(Fault::CutRequest));
                fault
            };
            if fault == Some(Fault::CutRequest) {
                server.write_all(&received[..whole + request.length / 2])?;
                return Ok(());
            }
            if owes_reply {
                pending_acks
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_back(fault == Some(Fault::DropReply));
            }
            whole = end;
        }
        server.write_all(&received[..whole])?;
        received.drain(..whole);
    }
    Ok(())
}

fn pass_replies(
    mut server: TcpStream,
    client: TcpStream,
    shared: &Arc<Shared>,
    pending_acks: &PendingAcks,
    connection: u64,
) -> io::Result<()> {
    let client = Arc::new(Mutex::new(client));
    let mut lanes: Option<Lanes> = None;
    let mut received = Vec::new();
    while read_more(&mut server, &mut received)? {
        let mut messages = Vec::new();
        let mut whole = 0;
        let mut dropped = false;
        while let Some(message) = frame(&received[whole..]).map_err(io::Error::other)? {
            let mut pending_acks = pending_acks.lock().unwrap_or_else(PoisonError::into_inner);
            dropped = !message.is_push && pending_acks.pop_front().unwrap_or(false);
            if dropped {
                break;
            }
            whole += message.length;
            messages.push(message);
        }
        let (delay, apart) = {
            let state = shared.thawed(connection);
            (state.delay, state.apart(connection))
        };
        if apart.is_some() && lanes.is_none() {
            lanes = Some(Lanes::open(&client, shared, connection));
        }
        if let Some(lanes) = &lanes {
            lanes.pass(&received, &messages, apart);
        } else if whole > 0 {
            thread::sleep(delay);
            drop(shared.thawed(connection));
            let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
            client.write_all(&received[..whole])?;
        }
        received.drain(..whole);
        if dropped {
            shared.state().faults += 1;
            return Ok(());
        }
    }
    Ok(())
}

/// Appends the bytes that have arrived. Returns `false` at the end of the stream.
fn read_more(from: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<bool> {
    let start = received.len();
    received.resize(start + CHUNK, 0);
    let count = from.read(&mut received[start..])?;
    received.truncate(start + count);
    Ok(count > 0)
}

/// Returns the name of the command in a complete request, in upper case.
fn command_of(request: &[u8]) -> String {
    // In `*2\r\n$3\r\nGET\r\n…` it is the third line. An inline request has one line.
    let mut lines = request.split(|byte| *byte == b'\n');
    let name = if request.first() == Some(&b'*') {
        lines.nth(2)
    } else {
        lines.next()
    };
    let word = name
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default();
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{ServerError, wait};

mod connection;
mod lanes;
mod state;

use self::state::{Apart, Shared};

const HOLD_LIMIT: Duration = Duration::from_secs(10);

/// A fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Half of the request reaches the server, then the connection is closed. The request is never applied.
    CutRequest,
    /// The server answers the request, and the connection is closed before the answer is delivered. The request *is* applied, but the
    /// client cannot know.
    DropReply,
}

/// A proxy on loopback between clients and one Redis. It counts requests and causes faults.
///
/// It forwards complete RESP messages, each as soon as it has arrived. It therefore does not support TLS. [`Fault::DropReply`] pairs
/// replies with requests by their order. That is correct in RESP3, and on RESP2 connections that subscribe to nothing.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free loopback port and forwards everything to `upstream`.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(upstream: SocketAddr) -> Result<Self, ServerError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(ServerError::during("the proxy found no port"))?;
        let address = listener
            .local_addr()
            .map_err(ServerError::during("the proxy"))?;
        let shared = Arc::new(Shared::new());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, upstream, &accepting));
        Ok(Self { address, shared })
    }

    /// Returns the address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL, `redis://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Returns the number of requests that clients have sent so far, including those for connecting.
    pub fn requests(&self) -> u64 {
        self.shared.state().requests.values().sum()
    }

    /// Returns the number of requests of one command so far, such as `EVALSHA`.
    pub fn requests_of(&self, command: &str) -> u64 {
        self.shared
            .state()
            .requests
            .get(&command.to_ascii_uppercase())
            .copied()
            .unwrap_or(0)
    }

    /// Waits until a frozen proxy holds a request back.
    ///
    /// # Errors
    /// None arrives within 10 s.
    pub fn wait_until_holding(&self) -> Result<(), ServerError> {
        let holds = || {
            let state = self.shared.state();
            state.arrived > state.requests.values().sum()
        };
        wait::until(HOLD_LIMIT, "no request arrives", || holds().then_some(()))
    }

    /// Causes `fault` on the next request of `command`, on any connection.
    pub fn on_next(&self, command: &str, fault: Fault) {
        self.shared
            .state()
            .armed
            .push((command.to_ascii_uppercase(), fault));
    }

    /// Returns the number of faults so far. Tests check that theirs happened.
    pub fn faults(&self) -> u64 {
        self.shared.state().faults
    }

    /// Closes every open connection. New ones are accepted.
    pub fn cut(&self) {
        self.shared.state().cut();
    }

    /// While `refusing` is `true`, closes every open connection and each new one.
    pub fn refuse(&self, refusing: bool) {
        let mut state = self.shared.state();
        state.refusing = refusing;
        if refusing {
            state.cut();
        }
    }

    /// Delays every reply by `delay`.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Stops all traffic without closing a connection, like a network that drops packets.
    pub fn freeze(&self) {
        self.shared.state().frozen = true;
    }

    /// Stops all traffic on the client connections that are open now, without closing them: they are half-open, as after a firewall has
    /// forgotten them. New connections work, and so do those of replicas. Returns the number of stopped connections.
    pub fn swallow_open(&self) -> usize {
        self.shared.state().swallow()
    }

    /// Forwards, in order, what was held back since [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.shared.state().frozen = false;
        self.shared.wake();
    }
}

/// Faults of connections that subscribe, and of no others. They are the backplane connections of servers with near caches.
impl Proxy {
    /// Returns the number of open ones.
    pub fn links(&self) -> usize {
        self.shared.state().count_links()
    }

    /// Closes each of them. New ones are accepted.
    pub fn cut_links(&self) {
        self.shared.state().cut_links();
    }

    /// While `refusing` is `true`, closes each of them, and every connection as soon as it subscribes.
    pub fn refuse_links(&self, refusing: bool) {
        let mut state = self.shared.state();
        state.links.refused = refusing;
        if refusing {
            state.cut_links();
        }
    }

    /// Stops all traffic on them without closing them: they are half-open.
    pub fn freeze_links(&self) {
        self.shared.state().links.frozen = true;
    }

    /// Forwards, in order, what was held back since [`freeze_links`](Self::freeze_links).
    pub fn thaw_links(&self) {
        self.shared.state().links.frozen = false;
        self.shared.wake();
    }

    /// Delays replies and pushes independently of each other. A connection that forwards something meanwhile is no longer a single ordered
    /// stream.
    pub fn part_links(&self, replies: Duration, pushes: Duration) {
        self.shared.state().links.apart = Some(Apart { replies, pushes });
    }

    /// Ends the delays.
    pub fn join_links(&self) {
        self.shared.state().links.apart = None;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.closed = true;
        state.cut();
        drop(state);
        self.shared.wake();
        // Wakes the thread that waits for connections, so that it sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, upstream: SocketAddr, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let (closed, refusing) = {
            let state = shared.state();
            (state.closed, state.refusing)
        };
        if closed {
            return;
        }
        let Ok(client) = client else { continue };
        match TcpStream::connect(upstream) {
            Ok(server) if !refusing => connection::serve(client, server, shared),
            _ => {
                // It may be closed already.
                let _ = client.shutdown(Shutdown::Both);
            }
        }
    }
}

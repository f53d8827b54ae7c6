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

/// What happens to one request, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Half of its bytes reach the server, then the connection breaks: it is never applied.
    CutRequest,
    /// The server answers it, and the connection breaks instead of delivering the answer: it *is*
    /// applied, and the client can't know.
    DropReply,
}

/// A proxy on loopback between clients and one Redis, that counts requests and breaks things on
/// request.
///
/// It passes whole RESP messages on (so no TLS), each request as soon as it is complete.
/// [`Fault::DropReply`] pairs replies with requests by their order, which holds in RESP3 and on
/// RESP2 connections that subscribe to nothing.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free loopback port and passes everything on to `upstream`.
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

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `redis://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Requests that clients have sent so far, those of connecting included.
    pub fn requests(&self) -> u64 {
        self.shared.state().requests.values().sum()
    }

    /// Requests of one command so far, such as `EVALSHA`.
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

    /// Lets `fault` happen to the next request of `command`, on whichever connection.
    pub fn on_next(&self, command: &str, fault: Fault) {
        self.shared
            .state()
            .armed
            .push((command.to_ascii_uppercase(), fault));
    }

    /// How many faults have happened so far: a test checks that its own did.
    pub fn faults(&self) -> u64 {
        self.shared.state().faults
    }

    /// Breaks every connection there is; new ones are welcome.
    pub fn cut(&self) {
        self.shared.state().cut();
    }

    /// While true, breaks every connection there is and each new one at once.
    pub fn refuse(&self, refusing: bool) {
        let mut state = self.shared.state();
        state.refusing = refusing;
        if refusing {
            state.cut();
        }
    }

    /// Holds every reply back for so long.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Nothing passes any more, and no connection breaks: a network that swallows packets.
    pub fn freeze(&self) {
        self.shared.state().frozen = true;
    }

    /// The connections that are open now swallow everything from now on, and none of them breaks: half-open, as after a firewall
    /// has forgotten them. New ones work, and so do those of replicas. Returns how many there are.
    pub fn swallow_open(&self) -> usize {
        self.shared.state().swallow()
    }

    /// What was held back since [`freeze`](Self::freeze) passes, in order.
    pub fn thaw(&self) {
        self.shared.state().frozen = false;
        self.shared.wake();
    }
}

/// To connections that subscribe, and to no others: the links by which servers with near caches hear of sign-outs.
impl Proxy {
    /// How many there are.
    pub fn links(&self) -> usize {
        self.shared.state().count_links()
    }

    /// Breaks each of them; new ones are welcome.
    pub fn cut_links(&self) {
        self.shared.state().cut_links();
    }

    /// While true, breaks each of them, and every connection as soon as it subscribes.
    pub fn refuse_links(&self, refusing: bool) {
        let mut state = self.shared.state();
        state.links.refused = refusing;
        if refusing {
            state.cut_links();
        }
    }

    /// Nothing passes on them any more, and none breaks: half-open.
    pub fn freeze_links(&self) {
        self.shared.state().links.frozen = true;
    }

    /// What was held back since [`freeze_links`](Self::freeze_links) passes, in order.
    pub fn thaw_links(&self) {
        self.shared.state().links.frozen = false;
        self.shared.wake();
    }

    /// Holds replies and pushes back for so long, each for itself. From then on they are no single ordered stream on a connection
    /// that passed something meanwhile.
    pub fn part_links(&self, replies: Duration, pushes: Duration) {
        self.shared.state().links.apart = Some(Apart { replies, pushes });
    }

    /// Holds nothing back any more.
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
                // It may be broken already.
                let _ = client.shutdown(Shutdown::Both);
            }
        }
    }
}

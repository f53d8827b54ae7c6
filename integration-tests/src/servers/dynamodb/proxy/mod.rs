use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};

use super::engine::store_url;
use crate::servers::{ServerError, wait};

mod answer;
mod call;
mod fault;
mod forward;
mod listen;
mod state;
mod unprocessed;

pub use self::call::{ApiCall, READS, WRITES};
pub use self::fault::ApiFault;
use self::state::{Shared, Which};

const LIMIT: Duration = Duration::from_secs(10);

/// A proxy on loopback between clients and one engine. It understands DynamoDB's requests, counts and records them, and behaves in ways
/// that no engine does.
///
/// No engine throttles, refuses a request without permission, leaves keys unprocessed or loses an answer. A rule says which [`ApiFault`]
/// happens to which actions (`PutItem`, …). A request that a client has sent continues when the client disconnects, as in a network. The
/// proxy supports plain HTTP only, and neither checks nor preserves signatures. It can be used in front of engines, but not of AWS.
#[derive(Debug)]
pub struct DynamoDbProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Taken when the proxy is dropped.
    runtime: Option<Runtime>,
}

impl DynamoDbProxy {
    /// Listens on a free loopback port and forwards everything to `upstream`.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(upstream: SocketAddr) -> Result<Self, ServerError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(ServerError::during("the proxy's runtime"))?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| {
                listener.set_nonblocking(true)?;
                let _inside = runtime.enter();
                TcpListener::from_std(listener)
            })
            .map_err(ServerError::during("the proxy found no port"))?;
        let address = listener
            .local_addr()
            .map_err(ServerError::during("the proxy"))?;
        let shared = Arc::new(Shared::new(upstream));
        runtime.spawn(listen::accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            runtime: Some(runtime),
        })
    }

    /// Returns the address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its endpoint, `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the store URL of the table for tests through this proxy, `dynamodb://…`.
    pub fn url(&self) -> String {
        store_url(&self.endpoint())
    }

    /// Returns the number of requests that were forwarded so far, including those for connecting.
    pub fn requests(&self) -> u64 {
        self.shared.state().counts.values().sum()
    }

    /// Returns the number of requests of one action so far, such as `PutItem`.
    pub fn requests_of(&self, action: &str) -> u64 {
        self.shared.state().counts.get(action).copied().unwrap_or(0)
    }

    /// Returns every action that was requested so far.
    pub fn actions(&self) -> Vec<String> {
        self.shared.state().counts.keys().cloned().collect()
    }

    /// Records every request and its answer from now on.
    pub fn observe(&self) {
        self.shared.state().observed = Some(Vec::new());
    }

    /// Returns the requests that were answered since [`observe`](Self::observe) or since the last call, in the order of their answers.
    pub fn observed(&self) -> Vec<ApiCall> {
        let mut state = self.shared.state();
        state
            .observed
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Causes `fault` on the next request of one of these actions. An empty list means any action.
    pub fn on_next(&self, actions: &[&str], fault: ApiFault) {
        self.shared.state().rule(actions, fault, Which::Next);
    }

    /// Causes `fault` on the next request of one of these actions that has a condition. A client that repeats only requests that are safe
    /// to repeat sends no other twice.
    pub fn on_next_conditional(&self, actions: &[&str], fault: ApiFault) {
        self.shared
            .state()
            .rule(actions, fault, Which::NextConditional);
    }

    /// Causes `fault` on every request of one of these actions until [`calm`](Self::calm). An empty list means any action.
    pub fn always(&self, actions: &[&str], fault: ApiFault) {
        self.shared.state().rule(actions, fault, Which::Every);
    }

    /// Removes every rule.
    pub fn calm(&self) {
        self.shared.state().rules.clear();
    }

    /// Returns the number of faults so far. Tests check that theirs happened.
    pub fn faults(&self) -> u64 {
        self.shared.state().faults
    }

    /// Delivers the duplicates that [`ApiFault::Duplicate`] has stored, one after another, and returns the status of each.
    ///
    /// # Errors
    /// The engine does not answer.
    pub fn deliver_duplicates(&self) -> Result<Vec<u16>, ServerError> {
        let (answer, delivered) = channel();
        let shared = Arc::clone(&self.shared);
        if let Some(runtime) = &self.runtime {
            // The caller may have given up.
            runtime.spawn(async move { answer.send(forward::duplicates(&shared).await) });
        }
        delivered
            .recv_timeout(LIMIT)
            .map_err(ServerError::during("duplicates"))?
    }

    /// Stops all traffic without closing a connection, like a network that drops packets.
    pub fn freeze(&self) {
        self.hold(&[]);
    }

    /// Holds requests of these actions back until [`thaw`](Self::thaw). An empty list means any action.
    pub fn hold(&self, actions: &[&str]) {
        self.shared.state().held = Some(call::owned(actions));
    }

    /// Forwards what was held back.
    pub fn thaw(&self) {
        self.shared.state().held = None;
        self.shared.wake();
    }

    /// Waits until a request is held back.
    ///
    /// # Errors
    /// None arrives within 10 s.
    pub fn wait_until_holding(&self) -> Result<(), ServerError> {
        self.wait_until_holding_some(1)
    }

    /// Waits until `count` requests are held back.
    ///
    /// # Errors
    /// They do not arrive within 10 s.
    pub fn wait_until_holding_some(&self, count: usize) -> Result<(), ServerError> {
        wait::until(LIMIT, "no request arrives", || {
            (self.shared.state().holding >= count).then_some(())
        })
    }

    /// Closes every open connection. New ones are accepted.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// While `refusing` is `true`, closes every open connection and each new one.
    pub fn refuse(&self, refusing: bool) {
        self.shared.state().refusing = refusing;
        if refusing {
            self.shared.cut();
        }
    }

    /// Delays every answer by `delay`.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }
}

impl Drop for DynamoDbProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The proxy may be dropped in a thread of a runtime.
            runtime.shutdown_background();
        }
    }
}

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

/// A proxy on loopback between clients and one engine, that knows DynamoDB's requests: it counts and keeps them, and shows
/// what no engine does of itself.
///
/// No engine throttles, refuses for want of a permission, leaves keys unprocessed or loses an answer: a rule says to which
/// actions (`PutItem`, …) which [`ApiFault`] happens. A request that a client has sent goes on when the client goes away, as
/// it does in a network. Plain HTTP only, and no signature is checked or kept valid: so in front of engines, never of AWS.
#[derive(Debug)]
pub struct DynamoDbProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
}

impl DynamoDbProxy {
    /// Listens on a free loopback port and passes everything on to `upstream`.
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

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `dynamodb://…`: the table for tests, through this proxy.
    pub fn url(&self) -> String {
        store_url(&self.endpoint())
    }

    /// Requests that were let through so far, those of connecting included.
    pub fn requests(&self) -> u64 {
        self.shared.state().counts.values().sum()
    }

    /// Requests of one action so far, such as `PutItem`.
    pub fn requests_of(&self, action: &str) -> u64 {
        self.shared.state().counts.get(action).copied().unwrap_or(0)
    }

    /// Every action that was asked for so far.
    pub fn actions(&self) -> Vec<String> {
        self.shared.state().counts.keys().cloned().collect()
    }

    /// From now on keeps every request with its answer.
    pub fn observe(&self) {
        self.shared.state().observed = Some(Vec::new());
    }

    /// The requests that were answered since [`observe`](Self::observe) or since this was last called, in the order of
    /// their answers.
    pub fn observed(&self) -> Vec<ApiCall> {
        let mut state = self.shared.state();
        state
            .observed
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Lets `fault` happen to the next request of one of these actions; none means any.
    pub fn on_next(&self, actions: &[&str], fault: ApiFault) {
        self.shared.state().rule(actions, fault, Which::Next);
    }

    /// Lets `fault` happen to the next request of one of these actions that has a condition: a client that repeats only what
    /// may be repeated sends no other twice.
    pub fn on_next_conditional(&self, actions: &[&str], fault: ApiFault) {
        self.shared
            .state()
            .rule(actions, fault, Which::NextConditional);
    }

    /// Lets `fault` happen to every request of one of these actions (none means any), until [`calm`](Self::calm).
    pub fn always(&self, actions: &[&str], fault: ApiFault) {
        self.shared.state().rule(actions, fault, Which::Every);
    }

    /// Ends every rule.
    pub fn calm(&self) {
        self.shared.state().rules.clear();
    }

    /// How many faults have happened so far: a test checks that its own did.
    pub fn faults(&self) -> u64 {
        self.shared.state().faults
    }

    /// Delivers the copies that [`ApiFault::Duplicate`] has kept, one after another, and answers with the status of each.
    ///
    /// # Errors
    /// The engine does not answer.
    pub fn deliver_duplicates(&self) -> Result<Vec<u16>, ServerError> {
        let (answer, delivered) = channel();
        let shared = Arc::clone(&self.shared);
        if let Some(runtime) = &self.runtime {
            // Whoever asked may have given up.
            runtime.spawn(async move { answer.send(forward::duplicates(&shared).await) });
        }
        delivered
            .recv_timeout(LIMIT)
            .map_err(ServerError::during("duplicates"))?
    }

    /// Nothing passes any more, and no connection breaks: a network that swallows packets.
    pub fn freeze(&self) {
        self.hold(&[]);
    }

    /// Holds back what is asked of these actions (none means any), until [`thaw`](Self::thaw).
    pub fn hold(&self, actions: &[&str]) {
        self.shared.state().held = Some(call::owned(actions));
    }

    /// What was held back passes.
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

    /// Waits until so many requests are held back.
    ///
    /// # Errors
    /// They do not arrive within 10 s.
    pub fn wait_until_holding_some(&self, count: usize) -> Result<(), ServerError> {
        wait::until(LIMIT, "no request arrives", || {
            (self.shared.state().holding >= count).then_some(())
        })
    }

    /// Breaks every connection there is; new ones are welcome.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// While true, breaks every connection there is and each new one at once.
    pub fn refuse(&self, refusing: bool) {
        self.shared.state().refusing = refusing;
        if refusing {
            self.shared.cut();
        }
    }

    /// Holds every answer back for so long.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }
}

impl Drop for DynamoDbProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Also where a runtime's thread drops it.
            runtime.shutdown_background();
        }
    }
}

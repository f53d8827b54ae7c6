use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;

use super::call::{is_among, owned};
use super::forward::Message;
use super::{ApiCall, ApiFault};

/// The state that the proxy's connections and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: SocketAddr,
    pub(super) client: Client<HttpConnector, Full<Bytes>>,
    state: Mutex<State>,
    /// Changes when requests that were held back may be forwarded.
    changes: watch::Sender<()>,
    /// Changes when every connection is to be closed.
    cuts: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) observed: Option<Vec<ApiCall>>,
    pub(super) rules: Vec<Rule>,
    pub(super) faults: u64,
    /// Actions whose requests are held back.
    pub(super) held: Option<Vec<String>>,
    pub(super) holding: usize,
    pub(super) refusing: bool,
    pub(super) delay: Duration,
    pub(super) duplicates: Vec<Message>,
}

#[derive(Debug)]
pub(super) struct Rule {
    actions: Vec<String>,
    fault: ApiFault,
    which: Which,
}

/// The requests that a rule applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Every,
    Next,
    NextConditional,
}

impl Shared {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            client: Client::builder(TokioExecutor::new()).build_http(),
            state: Mutex::default(),
            changes: watch::Sender::new(()),
            cuts: watch::Sender::new(()),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.changes.send_replace(());
    }

    pub(super) fn cut(&self) {
        self.cuts.send_replace(());
    }

    pub(super) fn until_cut(&self) -> watch::Receiver<()> {
        self.cuts.subscribe()
    }

    /// Waits while requests of this action are held back.
    pub(super) async fn held(&self, action: &str) {
        let mut changes = self.changes.subscribe();
        if !self.state().holds(action) {
            return;
        }
        self.state().holding += 1;
        while self.state().holds(action) {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
        self.state().holding -= 1;
    }
}

impl State {
    pub(super) fn rule(&mut self, actions: &[&str], fault: ApiFault, which: Which) {
        let actions = owned(actions);
        self.rules.push(Rule {
            actions,
            fault,
            which,
        });
    }

    fn holds(&self, action: &str) -> bool {
        self.held
            .as_ref()
            .is_some_and(|actions| is_among(action, actions))
    }

    /// Counts a request, and returns the fault to apply to it.
    pub(super) fn arrived(&mut self, action: &str, conditional: bool) -> Option<ApiFault> {
        *self.counts.entry(action.to_owned()).or_default() += 1;
        let batch = action.starts_with("Batch");
        let at = self.rules.iter().position(|rule| {
            is_among(action, &rule.actions)
                && (conditional || rule.which != Which::NextConditional)
                && (batch || !matches!(rule.fault, ApiFault::Unprocessed(_)))
        })?;
        self.faults += 1;
        let fault = self.rules[at].fault;
        if self.rules[at].which != Which::Every {
            self.rules.remove(at);
        }
        Some(fault)
    }
}

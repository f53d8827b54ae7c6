use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::{
    columns::Column,
    message::FromServer,
    provider::{Grant, TokenRequest},
};

/// The provider's token endpoint, as an app server calls it for one of its columns.
#[derive(Clone)]
pub(crate) struct TokenEndpoint {
    outbox: UnboundedSender<FromServer>,
    calls: Arc<Calls>,
    column: Column,
}

/// The calls of one server that wait for their answers.
#[derive(Default)]
pub(crate) struct Calls {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Answer>>,
}

type Answer = oneshot::Sender<Result<Grant, String>>;

impl TokenEndpoint {
    pub(crate) fn new(
        outbox: UnboundedSender<FromServer>,
        calls: Arc<Calls>,
        column: Column,
    ) -> Self {
        Self {
            outbox,
            calls,
            column,
        }
    }

    pub(crate) async fn call(&self, request: TokenRequest) -> Result<Grant, String> {
        let call = self.calls.next.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.calls.waiting().insert(call, answered);
        // Whoever no longer listens answers no more: the wait below ends then.
        let _ = self.outbox.send(FromServer::Call {
            call,
            column: self.column,
            request,
        });
        answer
            .await
            .unwrap_or_else(|_| Err("the provider went away".to_owned()))
    }
}

impl Calls {
    pub(crate) fn granted(&self, call: u64, grant: Result<Grant, String>) {
        if let Some(answered) = self.waiting().remove(&call) {
            let _ = answered.send(grant);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Answer>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

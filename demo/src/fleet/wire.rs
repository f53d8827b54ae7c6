use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender},
    oneshot,
};

use crate::{
    caches::CacheKind,
    failure::Failure,
    message::{FromServer, Registrations, Request, Response, ToServer},
    story::ServerName,
};

/// Both ways to an app server, whether it is a task or a process.
pub(super) struct Wire {
    pub(super) to: UnboundedSender<ToServer>,
    pub(super) from: UnboundedReceiver<FromServer>,
}

impl Wire {
    /// Waits until the server has an address for the provider's messages.
    pub(super) async fn origin(&mut self, name: ServerName) -> Result<String, Failure> {
        match self.from.recv().await {
            Some(FromServer::Listening { origin }) => Ok(origin),
            other => Err(unexpected(name, other)),
        }
    }
}

/// An app server, as browsers see it.
#[derive(Debug)]
pub(crate) struct Server {
    name: ServerName,
    to: UnboundedSender<ToServer>,
    requests: Arc<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    next: AtomicU64,
    /// `None` after the server is gone.
    waiting: Mutex<Option<HashMap<u64, Answer>>>,
}

type Answer = oneshot::Sender<Result<Response, String>>;

/// A request that is on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    server: ServerName,
    response: oneshot::Receiver<Result<Response, String>>,
}

impl Server {
    /// Has the server open its store, waits until it has, and says how the store calls itself.
    pub(super) async fn open(
        name: ServerName,
        mut wire: Wire,
        store: Option<&str>,
        registrations: &Registrations,
    ) -> Result<(Self, String), Failure> {
        // A server that is gone shows in what comes next.
        let _ = wire.to.send(ToServer::Open {
            store: store.map(str::to_owned),
            registrations: registrations.clone(),
        });
        let store = match wire.from.recv().await {
            Some(FromServer::Ready { store }) => store,
            other => return Err(unexpected(name, other)),
        };
        let requests = Arc::new(Requests::default());
        *requests.waiting() = Some(HashMap::new());
        tokio::spawn(route(wire.from, Arc::clone(&requests)));
        let server = Self {
            name,
            to: wire.to,
            requests,
        };
        Ok((server, store))
    }

    /// Sends a request.
    pub(crate) fn send(&self, kind: CacheKind, request: Request) -> Pending {
        let id = self.requests.next.fetch_add(1, Ordering::Relaxed);
        let (answered, response) = oneshot::channel();
        if let Some(waiting) = &mut *self.requests.waiting() {
            waiting.insert(id, answered);
        }
        // A server that is gone shows in the response, which then never comes.
        let _ = self.to.send(ToServer::Request { id, kind, request });
        Pending {
            server: self.name,
            response,
        }
    }

    /// Sends a request and waits for its response.
    pub(crate) async fn ask(&self, kind: CacheKind, request: Request) -> Result<Response, Failure> {
        self.send(kind, request).response().await
    }
}

impl Pending {
    /// Waits for the response.
    pub(crate) async fn response(&mut self) -> Result<Response, Failure> {
        match (&mut self.response).await {
            Ok(response) => response.map_err(Failure::new),
            Err(_) => Err(gone(self.server)),
        }
    }
}

impl Requests {
    fn waiting(&self) -> MutexGuard<'_, Option<HashMap<u64, Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn route(mut from: UnboundedReceiver<FromServer>, requests: Arc<Requests>) {
    while let Some(message) = from.recv().await {
        if let FromServer::Response { id, response } = message {
            let waiting = requests.waiting().as_mut().and_then(|all| all.remove(&id));
            if let Some(answered) = waiting {
                let _ = answered.send(response);
            }
        }
    }
    *requests.waiting() = None;
}

fn unexpected(server: ServerName, message: Option<FromServer>) -> Failure {
    match message {
        Some(FromServer::NotReady { message }) => Failure::new(message),
        _ => gone(server),
    }
}

fn gone(server: ServerName) -> Failure {
    Failure::new(format!("app server {server} went away"))
}

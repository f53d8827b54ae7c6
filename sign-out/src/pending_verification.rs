use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::join_all};
use token_cache_core::Timestamp;
use tokio::{
    sync::watch,
    time::{self, Duration, Instant},
};

use crate::{
    Cause, SignOutRoutes,
    failure::Failure,
    keys::{FetchError, LONGEST},
    message, report,
    verify::Kind,
};

/// How many bytes the messages may take that wait for keys after they were answered. Nothing is proven of them, and anybody can
/// send them. Each issuer has an equal share, so that forged messages of one leave room for the others'.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What a waiting message takes besides its token: a task, its timer, two entries of maps.
const OVERHEAD: usize = 4 * 1024;

/// How long a message waits for keys. Most logout tokens are good for two minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The messages that came before their provider's keys. None makes room for another: a full queue answers 503.
#[derive(Default)]
pub(crate) struct PendingVerification(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    messages: HashMap<Message, Landing>,
    /// How many bytes each issuer's messages take, by the issuer's first client.
    bytes: HashMap<usize, usize>,
}

/// A token as it was sent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    kind: Kind,
    token: Arc<str>,
}

/// When a message came: it is judged as of then, however long it waits.
pub(crate) struct Came {
    pub(crate) at: Instant,
    /// By the store's clock, once that was asked.
    pub(crate) clock: Option<Timestamp>,
}

/// How a message stands that waits.
#[derive(Clone)]
enum Progress {
    /// Why it cannot be verified yet.
    Waits(FetchError),
    Ended(Result<(), Failure>),
}

type Landing = watch::Receiver<Progress>;

impl Kind {
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::LogoutToken => Cause::BackChannel,
            Self::SecurityEvent => Cause::SharedSignals,
        }
    }
}

impl SignOutRoutes {
    /// Verifies a message and ends the sessions that it names.
    ///
    /// If its key is not to be had now, it must be sent again; most providers don't. So it is verified later as well, and the same
    /// message sent again joins it.
    pub(crate) async fn take(&self, token: &str, kind: Kind) -> Result<(), Failure> {
        let message = Message {
            kind,
            token: token.into(),
        };
        let pending = self.0.pending.lock().messages.get(&message).cloned();
        if let Some(landing) = pending {
            return self.join(landing).await;
        }
        let routes = self.clone();
        run_detached(async move {
            let mut came = Came {
                at: Instant::now(),
                clock: None,
            };
            let patience = routes.0.bounds.keys;
            let (client, ended) = routes.end_by(&message, &mut came, patience).await;
            if let (Some(client), Err(Failure::NoKeys(error))) = (client, &ended) {
                let goes_on = routes.go_on(message, came, client, error);
                let issuer = &routes.0.clients[client].issuer;
                report::unverified(kind.cause(), issuer, error, goes_on);
            }
            ended
        })
        .await
    }

    /// Returns the client whose issuer the message names, by its index, and what the message came to. A refusal is reported.
    async fn end_by(
        &self,
        message: &Message,
        came: &mut Came,
        patience: Duration,
    ) -> (Option<usize>, Result<(), Failure>) {
        let until = Instant::now() + patience;
        let mut client = None;
        let cause = message.kind.cause();
        let ended = self.try_end_by(message, came, &mut client, until).await;
        let issuer = client.map(|client| self.0.clients[client].issuer.as_str());
        if let Err(Failure::Refused(refusal)) = &ended {
            report::refused(cause, issuer, &refusal.detail());
        }
        (client, ended)
    }

    async fn try_end_by(
        &self,
        message: &Message,
        came: &mut Came,
        client: &mut Option<usize>,
        until: Instant,
    ) -> Result<(), Failure> {
        let (kind, cause) = (message.kind, message.kind.cause());
        let verified = self
            .verified(&message.token, kind, came, client, until)
            .await?;
        let issuer = verified.issuer.clone();
        let endings = match kind {
            Kind::LogoutToken => vec![message::ended_by_logout_token(verified)?],
            Kind::SecurityEvent => message::ended_by_security_event(&verified)?,
        };
        if endings.is_empty() {
            report::ignored(cause, &issuer);
        }
        let ending = endings
            .into_iter()
            .map(|ending| self.carry_out(ending, cause));
        join_all(ending).await.into_iter().collect()
    }

    /// Verifies the message once its key may be had, in a task of its own. `false` if there is no room for it.
    fn go_on(&self, message: Message, came: Came, client: usize, error: &FetchError) -> bool {
        let issuer = &self.0.clients[client].issuer;
        let of_issuer = |client: &crate::Client| client.issuer == *issuer;
        let issuer = self.0.clients.iter().position(of_issuer).unwrap_or(client);
        let (landed, landing) = watch::channel(Progress::Waits(error.clone()));
        let waits = match self.wait_in_line(message, issuer, landing) {
            Line::Waits(waits) => waits,
            Line::WaitsAlready => return true,
            Line::Full => return false,
        };
        let mut pause = error.retry_after();
        let routes = self.clone();
        let mut came = came;
        tokio::spawn(async move {
            let message = &waits.message;
            let ended = loop {
                time::sleep(pause).await;
                let (_, ended) = routes.end_by(message, &mut came, LONGEST).await;
                let Err(Failure::NoKeys(error)) = &ended else {
                    break ended;
                };
                landed.send_replace(Progress::Waits(error.clone()));
                pause = error.retry_after();
                if came.at.elapsed() + pause > LONGEST_WAIT {
                    let issuer = &routes.0.clients[client].issuer;
                    report::unverified(message.kind.cause(), issuer, error, false);
                    break ended;
                }
            };
            drop(waits);
            landed.send_replace(Progress::Ended(ended));
        });
        true
    }

    fn wait_in_line(&self, message: Message, issuer: usize, landing: Landing) -> Line {
        let mut pending = self.0.pending.lock();
        if pending.messages.contains_key(&message) {
            return Line::WaitsAlready;
        }
        let bytes = message.token.len() + OVERHEAD;
        let taken = pending.bytes.entry(issuer).or_default();
        if *taken + bytes > MOST_BYTES / self.0.issuers {
            return Line::Full;
        }
        *taken += bytes;
        pending.messages.insert(message.clone(), landing);
        drop(pending);
        Line::Waits(Waits {
            routes: self.clone(),
            message,
            issuer,
            bytes,
        })
    }

    /// Waits for the message's end, if it may come while the provider waits.
    async fn join(&self, mut landing: Landing) -> Result<(), Failure> {
        let patience = self.0.bounds.keys + self.0.bounds.eviction;
        if let Progress::Waits(error) = &*landing.borrow()
            && error.retry_after() > patience
        {
            return Err(Failure::NoKeys(error.clone()));
        }
        let has_ended = |progress: &Progress| matches!(progress, Progress::Ended(_));
        let ended = time::timeout(patience, landing.wait_for(has_ended)).await;
        if let Ok(Err(_)) = ended {
            // Its task was stopped with the runtime.
            return Err(Failure::Late);
        }
        drop(ended);
        let progress = landing.borrow().clone();
        match progress {
            Progress::Ended(ended) => ended,
            Progress::Waits(error) => Err(Failure::NoKeys(error)),
        }
    }
}

impl PendingVerification {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a message that is to wait.
enum Line {
    Waits(Waits),
    /// The same message came twice at once.
    WaitsAlready,
    Full,
}

/// The place of a waiting message, which is free when it is over, however it ends.
struct Waits {
    routes: SignOutRoutes,
    message: Message,
    issuer: usize,
    bytes: usize,
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut pending = self.routes.0.pending.lock();
        pending.messages.remove(&self.message);
        if let Some(taken) = pending.bytes.get_mut(&self.issuer) {
            *taken = taken.saturating_sub(self.bytes);
        }
    }
}

/// Does the work here while it need not wait, and otherwise in a task of its own: a provider that hangs up stops nothing.
async fn run_detached(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let mut work = Box::pin(work);
    if let Some(done) = (&mut work).now_or_never() {
        return done;
    }
    // Its end can't be seen if it panicked or the runtime stops: what it did is not known.
    tokio::spawn(work).await.unwrap_or(Err(Failure::Late))
}

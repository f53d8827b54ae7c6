use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use tokio::{
    sync::watch,
    time::{self, Duration, Instant},
};

use crate::{
    Cause, SignOutRoutes,
    failure::Failure,
    keys::{FetchError, LONGEST},
    message,
    verify::Kind,
};

/// How many messages may wait for keys when they have been answered. Nothing is proven of them, anybody can send them, and each may
/// have 64 KiB.
const MOST: usize = 250;

/// The messages that were there before their provider's keys.
#[derive(Default)]
pub(crate) struct Unverified(Mutex<HashMap<Message, Landing>>);

/// A token as it was sent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    kind: Kind,
    token: Arc<str>,
}

type Landing = watch::Receiver<Option<Result<(), Failure>>>;

impl SignOutRoutes {
    /// Verifies a message and ends whom it names.
    ///
    /// Where the provider's keys don't come in time, it is to be sent again; most providers don't. So it goes on by itself, and
    /// what is sent again joins it.
    pub(crate) async fn take(&self, token: &str, kind: Kind) -> Result<(), Failure> {
        let message = Message {
            kind,
            token: token.into(),
        };
        let waiting = self.0.unverified.waiting().get(&message).cloned();
        if let Some(landing) = waiting {
            return self.join(landing).await;
        }
        let routes = self.clone();
        in_spite_of_hang_ups(async move {
            let ended = routes.end_by(&message, routes.0.bounds.keys).await;
            if let Err(Failure::NoKeys(error)) = &ended
                && error.is_late()
            {
                routes.go_on(message);
            }
            ended
        })
        .await
    }

    async fn end_by(&self, message: &Message, patience: Duration) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        let verified = self.verified(&message.token, message.kind, until).await?;
        let (ending, cause) = match message.kind {
            Kind::LogoutToken => {
                let ending = message::ended_by_logout_token(verified)?;
                (Some(ending), Cause::BackChannel)
            }
            Kind::SecurityEvent => {
                let ending = message::ended_by_security_event(verified)?;
                (ending, Cause::SharedSignals)
            }
        };
        match ending {
            Some(ending) => self.carry_out(ending, cause).await,
            None => Ok(()),
        }
    }

    /// Waits for the keys as long as it takes to fetch them, in a task of its own.
    fn go_on(&self, message: Message) {
        let mut waiting = self.0.unverified.waiting();
        if waiting.len() >= MOST || waiting.contains_key(&message) {
            return;
        }
        let (landed, landing) = watch::channel(None);
        waiting.insert(message.clone(), landing);
        drop(waiting);
        let waits = Waits {
            routes: self.clone(),
            message,
        };
        tokio::spawn(async move {
            let ended = waits.routes.end_by(&waits.message, LONGEST).await;
            drop(waits);
            landed.send_replace(Some(ended));
        });
    }

    async fn join(&self, mut landing: Landing) -> Result<(), Failure> {
        let bounds = self.0.bounds;
        let landed = landing.wait_for(Option::is_some);
        match time::timeout(bounds.keys + bounds.eviction, landed).await {
            Ok(Ok(landed)) => landed.clone().unwrap_or(Err(Failure::Late)),
            Ok(Err(_)) => Err(Failure::Late),
            Err(_) => Err(Failure::NoKeys(FetchError::late())),
        }
    }
}

impl Unverified {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Message, Landing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the map when it is over, however it ends.
struct Waits {
    routes: SignOutRoutes,
    message: Message,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.routes.0.unverified.waiting().remove(&self.message);
    }
}

/// Does the work here while it needs not wait, and otherwise in a task of its own.
async fn in_spite_of_hang_ups(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let mut work = Box::pin(work);
    if let Some(done) = (&mut work).now_or_never() {
        return done;
    }
    // Its end can't be seen where it panicked or the runtime stops: what it did is not known.
    tokio::spawn(work).await.unwrap_or(Err(Failure::Late))
}

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    sync::watch,
    time::{self, Duration, Instant},
};

use super::{
    SignOutRoutes, event::SignOutCause, message_error::MessageError, report, verify::Received,
};
use crate::{
    client::ClientRegistration,
    http::FetchError,
    jwt::{TokenKind, logout_token_subject, security_event_subjects},
    keys::MAX_FETCH_TIME,
};

/// The maximum size of all messages that wait for keys. They are not verified, and anyone can send them. Each issuer
/// has an equal share, so that forged messages of one issuer leave room for the others.
const MAX_PENDING_BYTES: usize = 32 * 1024 * 1024;

/// The memory of a waiting message in addition to its token: a task, a timer and two map entries.
const MESSAGE_OVERHEAD: usize = 4 * 1024;

/// How long a message waits for keys. Most logout tokens are valid for two minutes.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The messages that wait for their provider's keys. When the queue is full, new messages are answered with 503.
#[derive(Default)]
pub(crate) struct PendingVerification(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    messages: HashMap<Message, ProgressReceiver>,
    /// The size of each issuer's waiting messages, by the index of the issuer's first client.
    bytes: HashMap<usize, usize>,
}

/// A token as it was sent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    kind: TokenKind,
    token: Arc<str>,
}

/// The state of a waiting message.
#[derive(Clone)]
enum Progress {
    /// The reason why it cannot be verified yet.
    Waiting(FetchError),
    Done(Result<(), MessageError>),
}

type ProgressReceiver = watch::Receiver<Progress>;

impl TokenKind {
    pub(crate) const fn cause(self) -> SignOutCause {
        match self {
            Self::LogoutToken => SignOutCause::BackChannel,
            Self::SecurityEvent => SignOutCause::SharedSignals,
        }
    }
}

impl SignOutRoutes {
    /// Verifies a message and ends the sessions that it names.
    ///
    /// If its key cannot be fetched now, the provider should send the message again, but most providers do not. So the
    /// message is also verified later, and the same message joins it when it is sent again.
    pub(crate) async fn process_message(
        &self,
        token: &str,
        kind: TokenKind,
    ) -> Result<(), MessageError> {
        let message = Message {
            kind,
            token: token.into(),
        };
        let pending = self.0.pending.lock().messages.get(&message).cloned();
        if let Some(progress) = pending {
            return self.join(progress).await;
        }
        let routes = self.clone();
        run_detached(async move {
            let mut received = Received {
                at: Instant::now(),
                clock: None,
            };
            let timeout = routes.0.timeouts.keys;
            let (client, ended) = routes
                .verify_and_sign_out(&message, &mut received, timeout)
                .await;
            if let (Some(client), Err(MessageError::KeysUnavailable(error))) = (client, &ended) {
                let is_pending = routes.verify_later(message, received, client, error);
                let issuer = &routes.0.clients[client].issuer;
                report::unverified(kind.cause(), issuer, error, is_pending);
            }
            ended
        })
        .await
    }

    /// Returns the index of a client of the message's issuer, and the result. A validation error is logged.
    async fn verify_and_sign_out(
        &self,
        message: &Message,
        received: &mut Received,
        timeout: Duration,
    ) -> (Option<usize>, Result<(), MessageError>) {
        let deadline = Instant::now() + timeout;
        let mut client = None;
        let cause = message.kind.cause();
        let ended = self
            .try_verify_and_sign_out(message, received, &mut client, deadline)
            .await;
        let issuer = client.map(|client| self.0.clients[client].issuer.as_str());
        if let Err(MessageError::Invalid(refusal)) = &ended {
            report::refused(cause, issuer, &refusal.detail());
        }
        (client, ended)
    }

    async fn try_verify_and_sign_out(
        &self,
        message: &Message,
        received: &mut Received,
        client: &mut Option<usize>,
        deadline: Instant,
    ) -> Result<(), MessageError> {
        let (kind, cause) = (message.kind, message.kind.cause());
        let verified = self
            .verify_token(&message.token, kind, received, client, deadline)
            .await?;
        let issuer = verified.issuer.clone();
        let subjects = match kind {
            TokenKind::LogoutToken => vec![logout_token_subject(verified)?],
            TokenKind::SecurityEvent => security_event_subjects(&verified)?,
        };
        if subjects.is_empty() {
            report::ignored(cause, &issuer);
        }
        let sign_outs = subjects
            .into_iter()
            .map(|subject| self.sign_out_subject(subject, cause));
        join_all(sign_outs)
            .await
            .into_iter()
            .try_for_each(MessageError::from_outcome)
    }

    /// Verifies the message later, in a separate task, when its key can be fetched. Returns `false` if the queue is
    /// full.
    fn verify_later(
        &self,
        message: Message,
        received: Received,
        client: usize,
        error: &FetchError,
    ) -> bool {
        let issuer = &self.0.clients[client].issuer;
        let of_issuer = |client: &ClientRegistration| client.issuer == *issuer;
        let issuer = self.0.clients.iter().position(of_issuer).unwrap_or(client);
        let (sender, progress) = watch::channel(Progress::Waiting(error.clone()));
        let guard = match self.enqueue(message, issuer, progress) {
            Enqueued::Added(guard) => guard,
            Enqueued::Duplicate => return true,
            Enqueued::Full => return false,
        };
        let mut pause = error.retry_after();
        let routes = self.clone();
        let mut received = received;
        tokio::spawn(async move {
            let message = &guard.message;
            let ended = loop {
                time::sleep(pause).await;
                let (_, ended) = routes
                    .verify_and_sign_out(message, &mut received, MAX_FETCH_TIME)
                    .await;
                let Err(MessageError::KeysUnavailable(error)) = &ended else {
                    break ended;
                };
                sender.send_replace(Progress::Waiting(error.clone()));
                pause = error.retry_after();
                if received.at.elapsed() + pause > MAX_WAIT {
                    let issuer = &routes.0.clients[client].issuer;
                    report::unverified(message.kind.cause(), issuer, error, false);
                    break ended;
                }
            };
            drop(guard);
            sender.send_replace(Progress::Done(ended));
        });
        true
    }

    fn enqueue(&self, message: Message, issuer: usize, progress: ProgressReceiver) -> Enqueued {
        let mut pending = self.0.pending.lock();
        if pending.messages.contains_key(&message) {
            return Enqueued::Duplicate;
        }
        let bytes = message.token.len() + MESSAGE_OVERHEAD;
        let taken = pending.bytes.entry(issuer).or_default();
        if *taken + bytes > MAX_PENDING_BYTES / self.0.issuers {
            return Enqueued::Full;
        }
        *taken += bytes;
        pending.messages.insert(message.clone(), progress);
        drop(pending);
        Enqueued::Added(PendingGuard {
            routes: self.clone(),
            message,
            issuer,
            bytes,
        })
    }

    /// Waits for the result of a pending message, if it can arrive while the provider waits.
    async fn join(&self, mut progress: ProgressReceiver) -> Result<(), MessageError> {
        let timeout = self.0.timeouts.keys + self.0.timeouts.sign_out;
        if let Progress::Waiting(error) = &*progress.borrow()
            && error.retry_after() > timeout
        {
            return Err(MessageError::KeysUnavailable(error.clone()));
        }
        let has_ended = |progress: &Progress| matches!(progress, Progress::Done(_));
        let ended = time::timeout(timeout, progress.wait_for(has_ended)).await;
        if let Ok(Err(_)) = ended {
            // The task was stopped with its runtime.
            return Err(MessageError::Pending);
        }
        drop(ended);
        let progress = progress.borrow().clone();
        match progress {
            Progress::Done(ended) => ended,
            Progress::Waiting(error) => Err(MessageError::KeysUnavailable(error)),
        }
    }
}

impl PendingVerification {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of adding a message to the queue.
enum Enqueued {
    Added(PendingGuard),
    /// The same message is already waiting.
    Duplicate,
    Full,
}

/// The place of a waiting message in the queue. Dropping it frees the place.
struct PendingGuard {
    routes: SignOutRoutes,
    message: Message,
    issuer: usize,
    bytes: usize,
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        let mut pending = self.routes.0.pending.lock();
        pending.messages.remove(&self.message);
        if let Some(taken) = pending.bytes.get_mut(&self.issuer) {
            *taken = taken.saturating_sub(self.bytes);
        }
    }
}

/// Runs `work` to the end, even if the caller goes away. It continues in a separate task unless it finishes at once.
async fn run_detached(
    work: impl Future<Output = Result<(), MessageError>> + Send + 'static,
) -> Result<(), MessageError> {
    let mut work = Box::pin(work);
    if let Some(done) = (&mut work).now_or_never() {
        return done;
    }
    // The task panicked or its runtime stops, so the result is unknown.
    tokio::spawn(work)
        .await
        .unwrap_or(Err(MessageError::Pending))
}

//! One task for each message of a provider: it verifies the token, ends the sessions, answers, and calls the app's hook.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Response, StatusCode, header};
use token_cache_core::{
    Error, Result, SignOut,
    util::{
        detached::never_dropped,
        single_flight::{self, SingleFlight},
    },
};
use tokio::{
    runtime::Handle,
    time::{self, Duration, Instant},
};

use super::{
    SignOutRoutes, event::SignOutCause, report, sign_out_task::SignOutDetails, verify::Received,
};
use crate::{
    http::{FetchError, RequestError, no_store_response},
    jwt::{
        LogoutSubject, TokenKind, ValidationError, logout_token_subject, security_event_subjects,
    },
    keys::MAX_FETCH_TIME,
};

/// The maximum size of all messages that wait for keys. They are not verified, and anyone can send them. Each issuer
/// has an equal share, so that forged messages of one issuer leave room for the others.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// The memory of a waiting message in addition to its token: a task, a timer and a map entry.
const MESSAGE_OVERHEAD: usize = 4 * 1024;

/// How long a message waits for keys. Most logout tokens are valid for two minutes.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The messages that are not answered yet.
pub(crate) struct ProviderMessages {
    running: SingleFlight<Message, MessageResult>,
    waiting: Arc<WaitingRoom>,
}

impl ProviderMessages {
    /// Returns the messages of this many different issuers.
    pub(crate) fn of_issuers(issuers: usize) -> Self {
        Self {
            running: SingleFlight::default(),
            waiting: Arc::new(WaitingRoom {
                share: MAX_WAITING_BYTES / issuers.max(1),
                taken: Mutex::default(),
            }),
        }
    }
}

/// A token as it was sent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    kind: TokenKind,
    token: Arc<str>,
}

type MessageResult = std::result::Result<(), MessageError>;
type Answer = single_flight::Answer<Message, MessageResult>;

impl SignOutRoutes {
    /// Reads the token of a message, verifies it, and ends the sessions that it names.
    ///
    /// If its key cannot be fetched now, the provider should send the message again, but most providers do not. So the
    /// message is also verified later, and the same message joins it when it is sent again.
    pub(crate) async fn process_message(
        &self,
        token: impl Future<Output = std::result::Result<String, MessageError>>,
        kind: TokenKind,
    ) -> MessageResult {
        let token = token.await.inspect_err(|error| {
            report::refused(kind.cause(), None, &error.description());
        })?;
        let message = Message {
            kind,
            token: token.into(),
        };
        // The same message is joined at every stage until its last answer. So it ends its sessions once, and after a failure the
        // provider's next try runs again.
        let at_any_stage = |()| true;
        let (routes, sent) = (self.clone(), message.clone());
        let run = |(), answer| routes.run_message(sent, answer);
        let mut running = self.0.messages.running.join_if_answering(
            &Handle::current(),
            message,
            at_any_stage,
            || (),
            run,
        );
        let so_far = running.so_far().filter(|_| running.is_joined);
        let timeouts = self.0.timeouts;
        let timeout = match &so_far {
            // The task itself answers within the timeouts.
            None => return running.wait().await.unwrap_or(Err(MessageError::Pending)),
            Some(Err(MessageError::KeysUnavailable(error))) => {
                let timeout = timeouts.keys + timeouts.sign_out;
                if error.retry_after() > timeout {
                    return Err(MessageError::KeysUnavailable(error.clone()));
                }
                timeout
            }
            Some(_) => timeouts.sign_out,
        };
        let last = match time::timeout(timeout, running.last()).await {
            Ok(last) => last,
            Err(_) => running.so_far(),
        };
        last.unwrap_or(Err(MessageError::Pending))
    }

    /// The task of a message.
    async fn run_message(self, message: Message, answer: Answer) {
        let subjects = match self.verify_message(&message, &answer).await {
            Ok(subjects) => subjects,
            Err(error) => return answer.last(Err(error)),
        };
        let cause = message.kind.cause();
        let sign_outs = subjects
            .into_iter()
            .map(|subject| self.sign_out_subject(subject, cause));
        // The task awaits them to their end, so that they need no tasks of their own.
        let mut sign_outs = pin!(never_dropped(join_all(sign_outs)));
        let in_time = time::timeout(self.0.timeouts.sign_out, &mut sign_outs).await;
        let ended = if let Ok(ended) = in_time {
            ended
        } else {
            answer.for_now(Err(MessageError::Pending));
            sign_outs.await
        };
        let failed = ended.iter().find_map(|ended| match ended {
            Ok((_, Err(error))) | Err(error) => Some(error.clone()),
            Ok(_) => None,
        });
        answer.last(failed.map_or(Ok(()), |error| Err(MessageError::SignOutFailed(error))));
        let told = ended.into_iter().flatten();
        join_all(told.map(|(details, result)| self.call_hook(details, result))).await;
    }

    /// Returns the accounts and provider sessions that the message ends. If its key cannot be fetched now, answers so, and waits for the
    /// key if there is room.
    async fn verify_message(
        &self,
        message: &Message,
        answer: &Answer,
    ) -> std::result::Result<Vec<LogoutSubject>, MessageError> {
        let cause = message.kind.cause();
        let mut received = Received {
            at: Instant::now(),
            clock: None,
        };
        let (mut timeout, mut place) = (self.0.timeouts.keys, None);
        loop {
            let mut client = None;
            let deadline = Instant::now() + timeout;
            let verified = self
                .try_verify(message, &mut received, &mut client, deadline)
                .await;
            let issuer = client.map(|client| self.0.clients[client].issuer.as_str());
            let (error, issuer) = match (&verified, issuer) {
                (Err(MessageError::KeysUnavailable(error)), Some(issuer)) => (error, issuer),
                (Err(MessageError::Invalid(refusal)), issuer) => {
                    report::refused(cause, issuer, &refusal.detail());
                    return verified;
                }
                _ => return verified,
            };
            let pause = error.retry_after();
            let (is_news, waits) = if place.is_none() {
                place = self.0.messages.waiting.place_of(message, issuer);
                (true, place.is_some())
            } else {
                let waits = received.at.elapsed() + pause <= MAX_WAIT;
                (!waits, waits)
            };
            if is_news {
                report::unverified(cause, issuer, error, waits);
            }
            if !waits {
                return verified;
            }
            answer.for_now(Err(MessageError::KeysUnavailable(error.clone())));
            time::sleep(pause).await;
            timeout = MAX_FETCH_TIME;
        }
    }

    async fn try_verify(
        &self,
        message: &Message,
        received: &mut Received,
        client: &mut Option<usize>,
        deadline: Instant,
    ) -> std::result::Result<Vec<LogoutSubject>, MessageError> {
        let verified = self
            .verify_token(&message.token, message.kind, received, client, deadline)
            .await?;
        match message.kind {
            TokenKind::LogoutToken => Ok(vec![logout_token_subject(verified)?]),
            TokenKind::SecurityEvent => {
                let subjects = security_event_subjects(&verified)?;
                if subjects.is_empty() {
                    report::ignored(message.kind.cause(), &verified.issuer);
                }
                Ok(subjects)
            }
        }
    }

    /// Ends the sessions of a subject. Returns an error if it can have no sessions.
    async fn sign_out_subject(
        &self,
        subject: LogoutSubject,
        cause: SignOutCause,
    ) -> Result<(SignOutDetails, Result<SignOut>)> {
        let (message, details) = (subject.message()?, subject.details(cause)?);
        let result = self.cache().sign_out_by_with(&message, self.0.wait).await;
        self.report_carried_out(cause, details.issuer(), &result);
        Ok((details, result))
    }
}

impl TokenKind {
    pub(crate) const fn cause(self) -> SignOutCause {
        match self {
            Self::LogoutToken => SignOutCause::BackChannel,
            Self::SecurityEvent => SignOutCause::SharedSignals,
        }
    }
}

/// The sizes of each issuer's waiting messages. When an issuer's share is full, its new messages are answered with 503 and dropped.
struct WaitingRoom {
    /// The share of one issuer, in bytes.
    share: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// The place of a waiting message. Dropping it frees the place.
struct Place {
    room: Arc<WaitingRoom>,
    issuer: String,
    bytes: usize,
}

impl WaitingRoom {
    /// Returns a place for this message of `issuer`, or `None` if the issuer's share is full.
    fn place_of(self: &Arc<Self>, message: &Message, issuer: &str) -> Option<Place> {
        let bytes = message.token.len() + MESSAGE_OVERHEAD;
        let mut taken = self.taken();
        let of_issuer = taken.entry(issuer.to_owned()).or_default();
        if *of_issuer + bytes > self.share {
            return None;
        }
        *of_issuer += bytes;
        Some(Place {
            room: Arc::clone(self),
            issuer: issuer.to_owned(),
            bytes,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(of_issuer) = self.room.taken().get_mut(&self.issuer) {
            *of_issuer = of_issuer.saturating_sub(self.bytes);
        }
    }
}

/// Why a provider's message did not end its sessions.
#[derive(Debug, Clone)]
pub(crate) enum MessageError {
    /// The message is invalid. Sending it again does not help.
    Request(RequestError),
    Invalid(ValidationError),
    /// The message may be valid, but its key cannot be fetched now. It is verified later, if the queue has room.
    KeysUnavailable(FetchError),
    /// The message is valid, but the sessions may not have ended.
    SignOutFailed(Error),
    /// The message is valid, and the sign-out is still running.
    Pending,
}

impl MessageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Request(refusal) => refusal.status(),
            // OpenID Connect Back-Channel Logout 1.0 section 2.8.
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::KeysUnavailable(_) | Self::SignOutFailed(_) | Self::Pending => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Returns the text for the provider's log. It contains nothing of the message (G5).
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Request(refusal) => refusal.to_string(),
            Self::Invalid(refusal) => refusal.to_string(),
            Self::KeysUnavailable(error) => format!("{error}; send the message again"),
            Self::SignOutFailed(error) => format!(
                "the sessions may not have ended ({}); send the message again",
                error.kind().name()
            ),
            Self::Pending => {
                "the sign-out is still running; send the message again for its result".to_owned()
            }
        }
    }

    /// Returns the response with this body.
    pub(crate) fn to_response(&self, body: impl serde::Serialize) -> Response<Bytes> {
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let status = self.status();
        let mut response = no_store_response(status, body);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after()));
        }
        response
    }

    /// Returns after how many seconds the message may be sent again.
    fn retry_after(&self) -> u64 {
        match self {
            Self::KeysUnavailable(error) => error.retry_after().as_secs() + 1,
            Self::Request(_) | Self::Invalid(_) | Self::SignOutFailed(_) | Self::Pending => 1,
        }
    }
}

impl From<RequestError> for MessageError {
    fn from(refusal: RequestError) -> Self {
        Self::Request(refusal)
    }
}

impl From<ValidationError> for MessageError {
    fn from(refusal: ValidationError) -> Self {
        Self::Invalid(refusal)
    }
}

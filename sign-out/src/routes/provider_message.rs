//! One task for each message of a provider: it verifies the token, ends the sessions, answers, and calls the app's hook.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use token_cache_core::{
    AccountId, LogoutMessage, ProviderSid, Result, SignOut,
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
    SignOutRoutes,
    event::{SignOutCause, SignOutScopeKind},
    message_error::MessageError,
    report,
    sign_out_task::SignOutDetails,
    verify::Received,
};
use crate::{
    jwt::{LogoutSubject, TokenKind, logout_token_subject, security_event_subjects},
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
    /// Verifies a message and ends the sessions that it names.
    ///
    /// If its key cannot be fetched now, the provider should send the message again, but most providers do not. So the
    /// message is also verified later, and the same message joins it when it is sent again.
    pub(crate) async fn process_message(&self, token: &str, kind: TokenKind) -> MessageResult {
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

impl LogoutSubject {
    fn message(&self) -> Result<LogoutMessage> {
        let mut message = LogoutMessage::new(self.issuer.clone(), self.issued_at)?;
        if let Some(subject) = &self.subject {
            message = message.subject(subject.clone())?;
        }
        if let Some(sid) = &self.sid {
            message = message.sid(sid.clone())?;
        }
        Ok(message)
    }

    fn details(&self, cause: SignOutCause) -> Result<SignOutDetails> {
        let account = self
            .subject
            .as_ref()
            .map(|subject| AccountId::new(self.issuer.clone(), subject.clone()));
        let provider_session = self
            .sid
            .as_ref()
            .map(|sid| ProviderSid::new(self.issuer.clone(), sid.clone()));
        Ok(SignOutDetails {
            cause,
            scope: if provider_session.is_some() {
                SignOutScopeKind::ProviderSession
            } else {
                SignOutScopeKind::Account
            },
            account: account.transpose()?,
            provider_session: provider_session.transpose()?,
        })
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

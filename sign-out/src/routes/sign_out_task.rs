use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use token_cache_core::{AccountId, Error, LogoutMessage, ProviderSid, Result, SignOut};
use tokio::{sync::watch, time};

use super::{
    SignOutRoutes,
    event::{SignOutCause, SignOutEvent, SignOutScopeKind},
};
use crate::jwt::LogoutSubject;

/// The running sign-outs of providers' messages. A repeated message names the same subject with the same time, and joins
/// the running sign-out.
#[derive(Default)]
pub(crate) struct RunningSignOuts(Mutex<HashMap<LogoutSubject, OutcomeReceiver>>);

type OutcomeReceiver = watch::Receiver<Option<Result<SignOut>>>;

/// A sign-out that is about to run, as the app's hook will receive it.
#[derive(Debug, Clone)]
pub(crate) struct SignOutDetails {
    pub(crate) cause: SignOutCause,
    pub(crate) scope: SignOutScopeKind,
    pub(crate) account: Option<AccountId>,
    pub(crate) provider_session: Option<ProviderSid>,
}

/// The state of a sign-out when its request must be answered.
#[derive(Debug)]
pub(crate) enum Outcome {
    Ended,
    Failed(Error),
    /// The sign-out is still running. The same request can join it.
    Pending,
}

impl SignOutRoutes {
    /// Ends the sessions that a verified message names. Joins the running sign-out of the same message, if there is one.
    pub(crate) async fn sign_out_subject(
        &self,
        subject: LogoutSubject,
        cause: SignOutCause,
    ) -> Outcome {
        let prepared = subject
            .message()
            .and_then(|message| Ok((message, subject.details(cause)?)));
        let (message, details) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Outcome::Failed(error),
        };
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let work = || async move { cache.sign_out_by_with(&message, wait).await };
        self.run_sign_out(Some(subject), details, work).await
    }

    /// Runs a sign-out in a separate task, or joins the running one of the same message. Waits for at most the sign-out
    /// timeout.
    pub(crate) async fn run_sign_out<W>(
        &self,
        key: Option<LogoutSubject>,
        details: SignOutDetails,
        work: impl FnOnce() -> W,
    ) -> Outcome
    where
        W: Future<Output = Result<SignOut>> + Send + 'static,
    {
        let mut receiver = self.start_or_join(key, details, work);
        let sent =
            time::timeout(self.0.timeouts.sign_out, receiver.wait_for(Option::is_some)).await;
        match sent {
            Ok(Ok(sent)) => match &*sent {
                Some(Ok(_)) => Outcome::Ended,
                Some(Err(error)) => Outcome::Failed(error.clone()),
                None => Outcome::Pending,
            },
            // A task that was stopped with its runtime counts as pending too, because its result is unknown.
            Err(_) | Ok(Err(_)) => Outcome::Pending,
        }
    }

    fn start_or_join<W>(
        &self,
        key: Option<LogoutSubject>,
        details: SignOutDetails,
        work: impl FnOnce() -> W,
    ) -> OutcomeReceiver
    where
        W: Future<Output = Result<SignOut>> + Send + 'static,
    {
        let mut running = self.0.running.lock();
        if let Some(receiver) = key.as_ref().and_then(|key| running.get(key)) {
            return receiver.clone();
        }
        let (sent, receiver) = watch::channel(None);
        if let Some(key) = &key {
            running.insert(key.clone(), receiver.clone());
        }
        drop(running);
        let guard = RunningGuard {
            routes: self.clone(),
            key,
        };
        let work = work();
        tokio::spawn(async move {
            let outcome = work.await;
            let routes = guard.routes.clone();
            drop(guard);
            sent.send_replace(Some(outcome.clone()));
            routes.report(details, outcome).await;
        });
        receiver
    }

    async fn report(&self, details: SignOutDetails, outcome: Result<SignOut>) {
        self.report_carried_out(details.cause, details.issuer(), &outcome);
        if let Some(hook) = &self.0.hook {
            hook(SignOutEvent {
                cause: details.cause,
                scope: details.scope,
                account: details.account,
                provider_session: details.provider_session,
                result: outcome,
            })
            .await;
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

impl SignOutDetails {
    /// Returns the provider of the session or account, or `None` for the session of a ticket.
    fn issuer(&self) -> Option<&str> {
        let session = self.provider_session.as_ref().map(ProviderSid::issuer);
        session.or_else(|| self.account.as_ref().map(AccountId::issuer))
    }
}

impl RunningSignOuts {
    fn lock(&self) -> MutexGuard<'_, HashMap<LogoutSubject, OutcomeReceiver>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the map entry when the sign-out is over, even after a panic. A later repetition runs again, with the same
/// result.
struct RunningGuard {
    routes: SignOutRoutes,
    key: Option<LogoutSubject>,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.routes.0.running.lock().remove(key);
        }
    }
}

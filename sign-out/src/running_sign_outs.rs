use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use token_cache_core::{AccountId, Error, ProviderSid, Result, SignOut};
use tokio::{sync::watch, time};

use crate::{SignOutCause, SignOutEvent, SignOutRoutes, SignOutScopeKind};

/// The evictions that are under way for messages of providers, by what they were asked by.
#[derive(Default)]
pub(crate) struct RunningSignOuts(Mutex<HashMap<MessageKey, OutcomeReceiver>>);

/// What makes two messages the same: a provider that tries again asks for the same thing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey {
    pub(crate) issuer: String,
    pub(crate) subject: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) issued_at_ms: u64,
}

type OutcomeReceiver = watch::Receiver<Option<Result<SignOut>>>;

/// A sign-out that is about to be carried out, as an app will hear of it.
#[derive(Debug, Clone)]
pub(crate) struct SignOutDetails {
    pub(crate) cause: SignOutCause,
    pub(crate) scope: SignOutScopeKind,
    pub(crate) account: Option<AccountId>,
    pub(crate) provider_session: Option<ProviderSid>,
}

/// How an eviction stands when its asker has to be answered.
#[derive(Debug)]
pub(crate) enum Outcome {
    Ended,
    Failed(Error),
    /// It goes on. Whoever asks for the same again joins it.
    Pending,
}

impl SignOutRoutes {
    /// Carries out a sign-out in a task of its own, joins the one under way of the same message, and waits for the eviction's
    /// bound.
    pub(crate) async fn run_sign_out<W>(
        &self,
        key: Option<MessageKey>,
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
            // Also where its task was stopped with the runtime: nobody knows what it did.
            Err(_) | Ok(Err(_)) => Outcome::Pending,
        }
    }

    fn start_or_join<W>(
        &self,
        key: Option<MessageKey>,
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

impl SignOutDetails {
    /// The provider whose session or account it is. `None` for the session of a ticket.
    fn issuer(&self) -> Option<&str> {
        let session = self.provider_session.as_ref().map(ProviderSid::issuer);
        session.or_else(|| self.account.as_ref().map(AccountId::issuer))
    }
}

impl RunningSignOuts {
    fn lock(&self) -> MutexGuard<'_, HashMap<MessageKey, OutcomeReceiver>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the map when the eviction is over, however it ends: who asks after that has it carried out anew, to the same end.
struct RunningGuard {
    routes: SignOutRoutes,
    key: Option<MessageKey>,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.routes.0.running.lock().remove(key);
        }
    }
}

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use token_cache_core::{AccountId, Error, ProviderSid, Result, SignOut};
use tokio::{sync::watch, time};

use crate::{Cause, EndedScope, SignOutRoutes, SignedOut};

/// The evictions that are under way for messages of providers, by what they were asked by.
#[derive(Default)]
pub(crate) struct Evictions(Mutex<HashMap<MessageName, Landing>>);

/// What makes two messages the same: a provider that tries again asks for the same thing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct MessageName {
    pub(crate) issuer: String,
    pub(crate) subject: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) issued_at_ms: u64,
}

type Landing = watch::Receiver<Option<Result<SignOut>>>;

/// A sign-out that is about to be carried out, as an app will hear of it.
#[derive(Debug, Clone)]
pub(crate) struct Eviction {
    pub(crate) cause: Cause,
    pub(crate) scope: EndedScope,
    pub(crate) account: Option<AccountId>,
    pub(crate) provider_session: Option<ProviderSid>,
}

/// How an eviction stands when its asker has to be answered.
#[derive(Debug)]
pub(crate) enum Fate {
    Ended,
    Failed(Error),
    /// It goes on. Whoever asks for the same again joins it.
    Late,
}

impl SignOutRoutes {
    /// Carries out a sign-out in a task of its own, joins the one under way of the same message, and waits for the eviction's
    /// bound.
    pub(crate) async fn evict<W>(
        &self,
        message: Option<MessageName>,
        eviction: Eviction,
        work: impl FnOnce() -> W,
    ) -> Fate
    where
        W: Future<Output = Result<SignOut>> + Send + 'static,
    {
        let mut landing = self.begin(message, eviction, work);
        let landed = time::timeout(self.0.bounds.eviction, landing.wait_for(Option::is_some)).await;
        match landed {
            Ok(Ok(landed)) => match &*landed {
                Some(Ok(_)) => Fate::Ended,
                Some(Err(error)) => Fate::Failed(error.clone()),
                None => Fate::Late,
            },
            // Also where its task was stopped with the runtime: nobody knows what it did.
            Err(_) | Ok(Err(_)) => Fate::Late,
        }
    }

    fn begin<W>(
        &self,
        message: Option<MessageName>,
        eviction: Eviction,
        work: impl FnOnce() -> W,
    ) -> Landing
    where
        W: Future<Output = Result<SignOut>> + Send + 'static,
    {
        let mut running = self.0.evictions.running();
        if let Some(landing) = message.as_ref().and_then(|message| running.get(message)) {
            return landing.clone();
        }
        let (landed, landing) = watch::channel(None);
        if let Some(message) = &message {
            running.insert(message.clone(), landing.clone());
        }
        drop(running);
        let under_way = UnderWay {
            routes: self.clone(),
            message,
        };
        let work = work();
        tokio::spawn(async move {
            let outcome = work.await;
            let routes = under_way.routes.clone();
            drop(under_way);
            landed.send_replace(Some(outcome.clone()));
            routes.tell(eviction, outcome).await;
        });
        landing
    }

    async fn tell(&self, eviction: Eviction, outcome: Result<SignOut>) {
        self.report_carried_out(eviction.cause, eviction.issuer(), &outcome);
        if let Some(hook) = &self.0.hook {
            hook(SignedOut {
                cause: eviction.cause,
                scope: eviction.scope,
                account: eviction.account,
                provider_session: eviction.provider_session,
                outcome,
            })
            .await;
        }
    }
}

impl Eviction {
    /// The provider whose session or account it is. `None` for the session of a ticket.
    fn issuer(&self) -> Option<&str> {
        let session = self.provider_session.as_ref().map(ProviderSid::issuer);
        session.or_else(|| self.account.as_ref().map(AccountId::issuer))
    }
}

impl Evictions {
    fn running(&self) -> MutexGuard<'_, HashMap<MessageName, Landing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the map when the eviction is over, however it ends: who asks after that has it carried out anew, to the same end.
struct UnderWay {
    routes: SignOutRoutes,
    message: Option<MessageName>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(message) = &self.message {
            self.routes.0.evictions.running().remove(message);
        }
    }
}

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use token_cache_core::{
    AccountId, Error, LogoutMessage, ProviderSid, Result, SignOut, SignOutScopeKind,
};
use tokio::{sync::oneshot, time};

use super::{
    SignOutRoutes,
    event::{SignOutCause, SignOutEvent},
};
use crate::jwt::LogoutSubject;

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
    /// The sign-out is still running.
    Pending,
}

impl SignOutRoutes {
    /// Runs a browser's sign-out in a task of its own, which then calls the app's hook. Waits for at most the sign-out timeout.
    pub(crate) async fn run_sign_out<W>(&self, details: SignOutDetails, work: W) -> Outcome
    where
        W: Future<Output = Result<SignOut>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let routes = self.clone();
        tokio::spawn(async move {
            let result = work.await;
            routes.report_carried_out(details.cause, details.issuer(), &result);
            // The request does not wait any more if the browser has disconnected, or the time is over.
            let _ = answer.send(match &result {
                Ok(_) => Outcome::Ended,
                Err(error) => Outcome::Failed(error.clone()),
            });
            routes.call_hook(details, result).await;
        });
        match time::timeout(self.0.timeouts.sign_out, answered).await {
            Ok(Ok(outcome)) => outcome,
            // The result of a task that was stopped with its runtime is unknown.
            Err(_) | Ok(Err(_)) => Outcome::Pending,
        }
    }

    /// Calls the app's hook. A panic in it ends nothing else.
    pub(crate) async fn call_hook(&self, details: SignOutDetails, result: Result<SignOut>) {
        let Some(hook) = &self.0.hook else { return };
        let call = async {
            hook(SignOutEvent {
                cause: details.cause,
                scope: details.scope,
                account: details.account,
                provider_session: details.provider_session,
                result,
            })
            .await;
        };
        // The panic was printed when it happened.
        let _ = AssertUnwindSafe(call).catch_unwind().await;
    }
}

impl SignOutDetails {
    /// Returns the provider of the session or account, or `None` for the session of a ticket.
    pub(crate) fn issuer(&self) -> Option<&str> {
        let session = self.provider_session.as_ref().map(ProviderSid::issuer);
        session.or_else(|| self.account.as_ref().map(AccountId::issuer))
    }
}

impl LogoutSubject {
    pub(crate) fn message(&self) -> Result<LogoutMessage> {
        let mut message = LogoutMessage::new(self.issuer.clone(), self.issued_at)?;
        if let Some(subject) = &self.subject {
            message = message.subject(subject.clone())?;
        }
        if let Some(sid) = &self.sid {
            message = message.sid(sid.clone())?;
        }
        Ok(message)
    }

    pub(crate) fn details(&self, cause: SignOutCause) -> Result<SignOutDetails> {
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

use token_cache_core::{AccountId, LogoutMessage, ProviderSid, Result};

use super::{
    SignOutRoutes,
    event::{SignOutCause, SignOutScopeKind},
    message_error::MessageError,
    running_sign_outs::{MessageKey, SignOutDetails},
};
use crate::jwt::LogoutSubject;

impl SignOutRoutes {
    /// Ends the sessions, in a separate task. Joins the running sign-out of the same message, if there is one.
    pub(crate) async fn sign_out_subject(
        &self,
        subject: LogoutSubject,
        cause: SignOutCause,
    ) -> Result<(), MessageError> {
        let message = subject.message().map_err(MessageError::SignOutFailed)?;
        let details = subject
            .details(cause)
            .map_err(MessageError::SignOutFailed)?;
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let work = || async move { cache.sign_out_by_with(&message, wait).await };
        let outcome = self.run_sign_out(Some(subject.key()), details, work).await;
        MessageError::from_outcome(outcome)
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

    fn key(self) -> MessageKey {
        MessageKey {
            issuer: self.issuer,
            subject: self.subject,
            sid: self.sid,
            issued_at_ms: self.issued_at.as_millis(),
        }
    }
}

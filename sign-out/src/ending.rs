use token_cache_core::{AccountId, LogoutMessage, ProviderSid, Result, Timestamp};

use crate::{
    Cause, EndedScope, SignOutRoutes,
    evictions::{Eviction, MessageName},
    failure::Failure,
};

/// Whose sessions a verified message ends: what every kind of message comes to.
pub(crate) struct Ending {
    pub(crate) issuer: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) subject: Option<String>,
    pub(crate) sid: Option<String>,
}

impl SignOutRoutes {
    /// Ends them, in a task of its own; joins it where the same message is being carried out.
    pub(crate) async fn carry_out(&self, ending: Ending, cause: Cause) -> Result<(), Failure> {
        let message = ending.message().map_err(Failure::NotEnded)?;
        let eviction = ending.eviction(cause).map_err(Failure::NotEnded)?;
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let work = || async move { cache.sign_out_by_with(&message, wait).await };
        let fate = self.evict(Some(ending.name()), eviction, work).await;
        Failure::of(fate)
    }
}

impl Ending {
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

    fn eviction(&self, cause: Cause) -> Result<Eviction> {
        let account = self
            .subject
            .as_ref()
            .map(|subject| AccountId::new(self.issuer.clone(), subject.clone()));
        let provider_session = self
            .sid
            .as_ref()
            .map(|sid| ProviderSid::new(self.issuer.clone(), sid.clone()));
        Ok(Eviction {
            cause,
            scope: if provider_session.is_some() {
                EndedScope::ProviderSession
            } else {
                EndedScope::Account
            },
            account: account.transpose()?,
            provider_session: provider_session.transpose()?,
        })
    }

    fn name(self) -> MessageName {
        MessageName {
            issuer: self.issuer,
            subject: self.subject,
            sid: self.sid,
            issued_at_ms: self.issued_at.as_millis(),
        }
    }
}

use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    TokenSet,
    keys::SecretString,
    providers::Provider,
    refresh::{RefreshError, RefreshRequest, Revocation, TokenSource},
};
use tokio::sync::watch;

use super::{
    late_answers::{LateAnswer, LateAnswers},
    plain_app::PlainApp,
    timeline::Timeline,
};
use crate::instrumented_store::BackplaneSwitch;

/// The state that the servers of one process share besides the store: the timeline, and the app with the plain cache.
pub(crate) struct Shared {
    /// Of each server, in order: the page of one may ask another.
    pub(crate) origins: Vec<String>,
    pub(crate) provider: ProviderPages,
    pub(crate) store: String,
    /// `true` if the caches' secret is a random one of this process.
    pub(crate) secret_is_own: bool,
    /// The name of each server, and what cuts its backplane.
    pub(crate) links: Vec<(String, Arc<BackplaneSwitch>)>,
    pub(crate) plain: PlainApp,
    pub(crate) timeline: Timeline,
    pub(crate) late_answers: LateAnswers,
    pub(crate) closing: watch::Receiver<bool>,
}

/// The provider's data for the page.
pub(crate) struct ProviderPages {
    pub(crate) issuer: String,
    pub(crate) is_for_development: bool,
    /// The URL at which a user signs out there.
    pub(crate) sign_out: Option<String>,
    /// The origins that forms to the provider may lead to.
    pub(crate) origins: Vec<String>,
}

/// The provider, as one user's refresh asks it: its answer goes to the plain cache as well, and may be made late.
pub(crate) struct WatchedProvider {
    pub(crate) provider: Provider,
    pub(crate) shared: Arc<Shared>,
    pub(crate) server: String,
    pub(crate) subject: String,
    pub(crate) late: Option<Arc<LateAnswer>>,
}

#[async_trait]
impl TokenSource for WatchedProvider {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let tokens = self.provider.refresh(request).await?;
        if let Some(late) = &self.late {
            late.wait().await;
        }
        let Shared {
            plain, timeline, ..
        } = &*self.shared;
        plain
            .tokens_came_in(timeline, &self.server, &self.subject, &tokens)
            .await;
        Ok(tokens)
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        self.provider.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.provider.revocation()
    }
}

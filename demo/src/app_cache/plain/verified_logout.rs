use axum::{body::Bytes, extract::Request, http::Response};
use token_cache::{MemoryStore, Secret, TokenCache, sign_out::SignOutRoutes};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{failure::Failure, oidc::Discovered};

/// Verifies logout tokens for a cache that is not token-cache: the routes do it, have nothing of their own to end, and tell whom it
/// was about.
pub(super) struct VerifiedLogout {
    routes: SignOutRoutes,
    subjects: UnboundedReceiver<Option<String>>,
}

impl VerifiedLogout {
    pub(super) async fn of(provider: &Discovered) -> Result<Self, Failure> {
        let nothing = TokenCache::builder(MemoryStore::new()).secret(Secret::random()?);
        let (told, subjects) = unbounded_channel();
        let routes = SignOutRoutes::builder(nothing.open().await?)
            .client(provider.for_sign_out())
            .on_sign_out(move |event| {
                let subject = event.account.map(|account| account.subject().to_owned());
                // The receiver is gone after the server has ended.
                let _ = told.send(subject);
                std::future::ready(())
            })
            .build()?;
        Ok(Self { routes, subjects })
    }

    /// The answer to a logout token, and whom it names if it is genuine.
    pub(super) async fn take(&mut self, request: Request) -> (Response<Bytes>, Option<String>) {
        let answer = self.routes.back_channel_logout(request).await;
        let subject = if answer.status().is_success() {
            self.subjects.recv().await.flatten()
        } else {
            None
        };
        (answer, subject)
    }
}

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use token_cache::{Timestamp, providers::Provider};

use crate::{
    Conclusion, Fleet, JsonLines, ServerCaches,
    app_cache::{AppCache, Cookie, Denied, Found},
    failure::Failure,
    near_cache::{LeaseState, Waited},
    oidc::{Authenticated, Discovered},
    tell,
};

/// A server whose lease never ends.
struct Obstinate(Arc<dyn AppCache>);

#[async_trait]
impl AppCache for Obstinate {
    fn store(&self) -> String {
        self.0.store()
    }

    fn now(&self) -> Result<Timestamp, Denied> {
        self.0.now()
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        self.0.start_sign_in()
    }

    async fn sign_in(&self, started: &str, authenticated: Authenticated) -> Result<Cookie, Denied> {
        self.0.sign_in(started, authenticated).await
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied> {
        self.0.read(cookie).await
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        provider: &Provider,
    ) -> Result<Option<String>, Denied> {
        self.0.refresh(cookie, provider).await
    }

    async fn back_channel(
        &self,
        provider: &Discovered,
        path: &'static str,
    ) -> Result<Router, Failure> {
        self.0.back_channel(provider, path).await
    }

    fn cut_backplane(&self) -> bool {
        self.0.cut_backplane()
    }

    fn lease(&self) -> Option<LeaseState> {
        let lease = self.0.lease()?;
        Some(LeaseState {
            may_serve: true,
            ..lease
        })
    }

    async fn waited(&self) -> Option<Waited> {
        self.0.waited().await
    }
}

#[tokio::test]
async fn a_sign_out_that_returns_while_a_server_has_a_lease_breaks_its_promise() {
    let caches = ServerCaches::in_memory().await.unwrap();
    let obstinate = |one| Arc::new(Obstinate(one)) as Arc<dyn AppCache>;
    let caches = caches.map(|caches| caches.with_token_cache(obstinate));
    let fleet = Fleet::of_tasks(caches).await.unwrap();
    let verdict = tell(&fleet, &mut JsonLines::new(Vec::new())).await.unwrap();
    assert_eq!(verdict.conclusion, Conclusion::PromiseBroken);
    assert_eq!(verdict.token_cache_wrong, ["sign_out"]);
}

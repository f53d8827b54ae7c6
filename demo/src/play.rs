use std::{
    process,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    caches::CacheKind,
    failure::Failure,
    fleet::Fleet,
    report::Report,
    scripted_user::ScriptedUser,
    story::STEPS,
    verdict::{Told, Verdict},
};

/// Tells the story on these servers, and reports each step as it happens.
///
/// It ends early where a step goes wrong that the rest of the story builds on.
///
/// # Errors
/// Where a store fails, a server goes away, or the report can't be written.
pub async fn tell(fleet: &Fleet, report: &mut dyn Report) -> Result<Verdict, Failure> {
    let since = Instant::now();
    let run = run_name();
    let mut token_cache = ScriptedUser::new(fleet, CacheKind::TokenCache, &run);
    let mut plain_cache = ScriptedUser::new(fleet, CacheKind::PlainCache, &run);
    let mut told = Vec::new();
    report.begins(fleet)?;
    for (index, step) in STEPS.iter().enumerate() {
        let step_told = Told {
            number: index + 1,
            name: step.name,
            server: step.server,
            chapter: step.chapter,
            text: step.text,
            promise: step.promise,
            token_cache: token_cache.play(step).await?,
            plain_cache: plain_cache.play(step).await?,
            at_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        report.told(&step_told)?;
        let both_right = step_told.token_cache.right && step_told.plain_cache.right;
        told.push(step_told);
        if step.ought_to_work() && !both_right {
            break;
        }
    }
    let verdict = Verdict::of(&told);
    report.ends(&verdict)?;
    Ok(verdict)
}

fn run_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!("{}-{now}", process::id())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use axum::Router;
    use token_cache::{Error, Timestamp, providers::Provider};

    use super::*;
    use crate::{
        caches::ServerCaches,
        failure::Denied,
        near_cache::{LeaseState, Waited},
        oidc::{Authenticated, Discovered},
        report::JsonLines,
        steps::{AppCache, Cookie, Found},
        verdict::Conclusion,
    };

    /// A server whose lease never ends.
    struct Obstinate(Arc<dyn AppCache>);

    #[async_trait]
    impl AppCache for Obstinate {
        fn store(&self) -> String {
            self.0.store()
        }

        fn now(&self) -> Result<Timestamp, Error> {
            self.0.now()
        }

        fn start_sign_in(&self) -> Result<String, Error> {
            self.0.start_sign_in()
        }

        async fn sign_in(
            &self,
            started: &str,
            authenticated: &Authenticated,
        ) -> Result<Cookie, Error> {
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
}

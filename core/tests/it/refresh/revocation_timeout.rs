use std::{future::pending, time::Duration};

use async_trait::async_trait;
use token_cache_core::{
    MemoryStore, RefreshError, RefreshErrorKind, RefreshPolicy, RefreshRequest, Revocation,
    SecretString, SignOutScopeKind, TokenSet, TokenSource,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{api, server_with, signed_in};

/// A source that never answers. Its caller has been dropped when the channel's last sender is gone.
struct Silent(mpsc::UnboundedSender<&'static str>);

#[async_trait]
impl TokenSource for Silent {
    async fn refresh(&self, _: RefreshRequest) -> Result<TokenSet, RefreshError> {
        pending().await
    }

    async fn revoke(&self, _: SecretString) -> Result<(), RefreshError> {
        let asked = self.0.clone();
        asked.send("asked").unwrap();
        let answer = pending().await;
        drop(asked);
        answer
    }

    fn revocation(&self) -> Revocation {
        Revocation::Token
    }
}

/// The clock advances only when the test waits.
#[tokio::test(start_paused = true)]
async fn a_revocation_that_is_never_answered_is_given_up_and_leaves_nothing_behind() {
    const PATIENCE: Duration = Duration::from_secs(7);
    let mut policy = RefreshPolicy::default();
    policy.revocation_timeout = PATIENCE;
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    let tokens = TokenSet::new("at").unwrap().with_refresh_token("rt");
    session.put(&api(), tokens).await.unwrap();
    let (asked, mut asking) = mpsc::unbounded_channel();
    let began = Instant::now();
    let (signed_out, revoking) = session
        .sign_out_and_revoke(SignOutScopeKind::Account, &api(), Silent(asked))
        .await
        .unwrap();
    assert!(signed_out.ended);
    let error = revoking.outcome().await.unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::Transient, "{error}");
    let took = began.elapsed();
    assert!(took >= PATIENCE && took < 2 * PATIENCE, "{took:?}");
    assert_eq!(asking.recv().await, Some("asked"));
    let gone = timeout(Duration::from_secs(60), asking.recv()).await;
    assert_eq!(gone, Ok(None), "it is still being asked");
}

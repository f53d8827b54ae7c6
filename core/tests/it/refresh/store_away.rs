use std::time::Duration;

use token_cache_core::{
    ErrorKind, MemoryStore, Result, Session, TokenSet, test_util::FailingStore,
};
use tokio::{task::JoinHandle, time};

use super::{access_token, api, provider::Provider, refresh_token, server, signed_in, stored};

/// Longer than a read of the namespace stays valid.
const AWHILE: Duration = Duration::from_secs(4);

/// A refresh whose provider has been called and does not answer yet.
struct Asking {
    provider: Provider,
    store: FailingStore,
    session: Session,
    refreshing: JoinHandle<Result<TokenSet>>,
}

impl Asking {
    async fn new() -> Self {
        let provider = Provider::new();
        let store = FailingStore::new(MemoryStore::new());
        let session = signed_in(&server(store.clone()).await).await;
        session.put(&api(), provider.expired()).await.unwrap();
        provider.hold();
        let refreshing = tokio::spawn({
            let (session, provider) = (session.clone(), provider.clone());
            async move { session.get_or_refresh(&api(), provider).await }
        });
        provider.called(1).await;
        Self {
            provider,
            store,
            session,
            refreshing,
        }
    }
}

/// The store fails while the provider is called, and when its answer comes. The answer cannot be requested again.
#[tokio::test(start_paused = true)]
async fn what_the_provider_gave_is_kept_until_the_store_is_back() {
    let Asking {
        provider,
        store,
        session,
        refreshing,
    } = Asking::new().await;
    store.fail_with(ErrorKind::Unavailable);
    time::sleep(AWHILE).await;
    provider.go_on();
    time::sleep(Duration::from_secs(1)).await;
    assert!(!refreshing.is_finished());
    store.work();
    let tokens = refreshing.await.unwrap().unwrap();
    assert_eq!(access_token(&tokens), "at-1");
    let stored = stored(&session).await;
    assert_eq!(
        (access_token(&stored), refresh_token(&stored)),
        ("at-1", "rt-1")
    );
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
}

/// The version is created once, so a write that was stored without an answer is found stored, and not taken for another server's.
#[tokio::test(start_paused = true)]
async fn what_landed_without_an_answer_is_not_taken_for_anothers() {
    let Asking {
        provider,
        store,
        refreshing,
        ..
    } = Asking::new().await;
    store.lose_answers_with(ErrorKind::Unavailable);
    provider.go_on();
    time::sleep(Duration::from_secs(1)).await;
    store.work();
    let tokens = refreshing.await.unwrap().unwrap();
    assert_eq!(
        (access_token(&tokens), provider.calls(), provider.reused()),
        ("at-1", 1, 0)
    );
}

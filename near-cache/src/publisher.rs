use std::{collections::HashMap, sync::Arc, time::Duration};

use token_cache_core::{
    AccountKey, Invalidation, Result, TokenStore, backend::backoff, near_cache::in_time,
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::telemetry;

/// How long publishing an invalidation is retried. No near-cache entry lives longer.
const PATIENCE: Duration = Duration::from_secs(60);

const REQUEST: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Publishes invalidations that no caller waits for, until all senders of `told` are dropped. Accounts that arrive during a request are
/// published with the next one.
pub(super) async fn publish(
    store: Arc<dyn TokenStore>,
    mut told: mpsc::UnboundedReceiver<AccountKey>,
) {
    while let Some(first) = told.recv().await {
        let mut unpublished = HashMap::from([(first, Instant::now())]);
        let mut attempt = 0;
        while !unpublished.is_empty() {
            while let Ok(next) = told.try_recv() {
                unpublished.insert(next, Instant::now());
            }
            if send(&*store, &unpublished).await.is_ok() {
                break;
            }
            unpublished.retain(|_, since| {
                let has_time = since.elapsed() < PATIENCE;
                if !has_time {
                    telemetry::publish_failed();
                }
                has_time
            });
            time::sleep(backoff(FIRST_PAUSE, attempt)).await;
            attempt += 1;
        }
    }
}

async fn send(store: &dyn TokenStore, unpublished: &HashMap<AccountKey, Instant>) -> Result<()> {
    let Some(backplane) = store.backplane() else {
        return Ok(());
    };
    let what = Invalidation::of(unpublished.keys().copied());
    in_time(REQUEST, backplane.publish(None, what))
        .await
        .map(drop)
}

//! Keeps the estimate of the table's clock narrow in the background.

use std::{sync::Weak, time::Duration};

use crate::{clock::SECOND, store::Inner};

/// The number of first requests, spread over a second. Between two of them the clock reaches a full second, so the estimate becomes as
/// narrow as their distance.
const PROBES: u32 = 20;

/// The pause between two checks of the estimate.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// The width above which a request narrows the estimate. The width grows by two milliseconds per second.
const MAX_WIDTH: Duration = Duration::from_millis(100);

/// Keeps the estimate narrow while the store is in use.
///
/// No operation waits for it. A wide estimate is also correct; only a sign-in right after a sign-out waits longer.
pub(crate) async fn run(store: Weak<Inner>) {
    for _ in 0..PROBES {
        tokio::time::sleep(SECOND / PROBES).await;
        let Some(inner) = store.upgrade() else { return };
        inner.sample_clock().await;
    }
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let wait = match store.upgrade().map(|inner| inner.client.now()) {
            None => return,
            Some(Ok(now)) if now.width() > MAX_WIDTH => now.until_next_second(),
            Some(_) => continue,
        };
        tokio::time::sleep(wait).await;
        let Some(inner) = store.upgrade() else { return };
        inner.sample_clock().await;
    }
}

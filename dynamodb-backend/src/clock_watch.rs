//! Keeps the estimate of the table's clock narrow in the background.

use std::{sync::Weak, time::Duration};

use crate::{clock::SECOND, store::Inner};

/// How often the table is asked for its time at first: in the second that this takes, its clock turns a second between two of
/// the answers, and the estimate becomes as narrow as they lie apart.
const PROBES: u32 = 20;

/// How often the estimate is looked at later.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// An estimate wider than this is worth another request. It widens by two milliseconds a second.
const MAX_WIDTH: Duration = Duration::from_millis(100);

/// Keeps the estimate narrow for as long as the store is in use. Nobody waits for it: a wide estimate is right as well, and only
/// makes a sign-in that follows a sign-out at once wait longer.
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

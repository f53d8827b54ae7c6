//! Keeps the estimate of the table's clock narrow in the background.

use std::{sync::Weak, time::Duration};

use crate::{clock::SECOND, store::Held};

/// How often the table is asked for its time at first: in the second that this takes, its clock turns a second between two of
/// the answers, and the estimate becomes as narrow as they lie apart.
const PROBES: u32 = 20;

/// How often the estimate is looked at later.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// An estimate wider than this is worth another request. It widens by two milliseconds a second.
const WIDE: Duration = Duration::from_millis(100);

/// Keeps the estimate narrow for as long as the store is in use. Nobody waits for it: a wide estimate is right as well, and only
/// makes a sign-in that follows a sign-out at once wait longer.
pub(crate) async fn run(store: Weak<Held>) {
    for _ in 0..PROBES {
        tokio::time::sleep(SECOND / PROBES).await;
        let Some(held) = store.upgrade() else { return };
        held.ask_for_time().await;
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let wait = match store.upgrade().map(|held| held.client.now()) {
            None => return,
            Some(Ok(now)) if now.width() > WIDE => now.until_it_turns(),
            Some(_) => continue,
        };
        tokio::time::sleep(wait).await;
        let Some(held) = store.upgrade() else { return };
        held.ask_for_time().await;
    }
}

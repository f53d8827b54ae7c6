use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use super::link_task::in_time;
use crate::{AccountKey, Invalidation, Result, TokenStore, backend::backoff, telemetry};

/// The most accounts that one announcement names; of more, everything goes.
const MOST_NAMED: usize = 100;

/// For how long an announcement is tried to be made: copies live no longer.
const PATIENCE: Duration = Duration::from_secs(60);

const REQUEST: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Announces whose copies are to go on other servers without anybody's waiting for it, until nobody can tell it any more. What is
/// told while an announcement is under way goes with the next one.
pub(super) async fn tell(
    store: Arc<dyn TokenStore>,
    mut told: mpsc::UnboundedReceiver<AccountKey>,
) {
    while let Some(first) = told.recv().await {
        let mut untold = HashMap::from([(first, Instant::now())]);
        let mut attempt = 0;
        while !untold.is_empty() {
            while let Ok(next) = told.try_recv() {
                untold.insert(next, Instant::now());
            }
            if announce(&*store, &untold).await.is_ok() {
                break;
            }
            untold.retain(|_, since| {
                let has_time = since.elapsed() < PATIENCE;
                if !has_time {
                    telemetry::untold();
                }
                has_time
            });
            time::sleep(backoff(FIRST_PAUSE, attempt)).await;
            attempt += 1;
        }
    }
}

async fn announce(store: &dyn TokenStore, untold: &HashMap<AccountKey, Instant>) -> Result<()> {
    let Some(link) = store.link() else {
        return Ok(());
    };
    let what = copies_of(untold.keys().copied());
    in_time(REQUEST, link.announce(None, what)).await.map(drop)
}

/// The copies of these accounts, or all of them where they are too many to name.
pub(super) fn copies_of(accounts: impl ExactSizeIterator<Item = AccountKey>) -> Invalidation {
    if accounts.len() > MOST_NAMED {
        Invalidation::Everything
    } else {
        Invalidation::Accounts(accounts.collect())
    }
}

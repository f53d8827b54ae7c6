use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::runtime::Handle;

use super::{
    BootInstant, FleetMember, NearCache, NearCacheSettings, NearCacheStats, Validity, in_time,
    until, with_drift,
};
use crate::{
    AccountKey, Entry, EntryAddress, Invalidation, NearCacheOutcome, Result, SessionId,
    SessionRecord, Timestamp, Wait,
    protocol::StoreSignOut,
    telemetry::{await_near_caches, in_current_span},
};

/// The timeout of a request over the backplane.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The settings of a server that has no near cache and receives no acknowledgements, because its app does not use the crate
/// `token-cache-near-cache`.
#[derive(Debug)]
pub(crate) struct WithoutNearCache;

/// Such a server's part in sign-outs. It publishes what it ends, and waits for the longest life of a near-cache entry on any server. After
/// that time, every server has received the message, or its lease has expired (G1).
#[derive(Debug)]
struct Waiting(FleetMember);

#[async_trait]
impl NearCacheSettings for WithoutNearCache {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn longest_life(&self, _: bool) -> Result<Duration> {
        Ok(Duration::ZERO)
    }

    async fn open(&self, member: FleetMember) -> Result<Arc<dyn NearCache>> {
        Ok(Arc::new(Waiting(member)))
    }
}

#[async_trait]
impl NearCache for Waiting {
    fn entry(&self, _: &EntryAddress, _: Timestamp) -> Option<Entry> {
        None
    }

    fn session(&self, _: &AccountKey, _: &SessionId, _: Timestamp) -> Option<SessionRecord> {
        None
    }

    fn validity(&self, _: &AccountKey) -> Validity {
        Validity {
            counter: 0,
            expires_at: BootInstant::default(),
        }
    }

    fn may_serve(&self, _: &AccountKey, _: Validity) -> bool {
        false
    }

    fn keep_entry(&self, _: &EntryAddress, _: &Entry, _: Validity) {}

    fn keep_session(&self, _: &AccountKey, _: &SessionRecord, _: Validity) {}

    fn forget(&self, _: &Invalidation) {}

    /// Publishes once. If that fails, other servers serve their entries until these reach their maximum age.
    fn publish(&self, account: &AccountKey) {
        if self.0.config.get().longest.is_zero() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (store, what) = (
            Arc::clone(&self.0.store),
            Invalidation::Accounts(vec![*account]),
        );
        runtime.spawn(in_current_span(async move {
            if let Some(backplane) = store.backplane() {
                let _ = in_time(TIMEOUT, backplane.publish(None, what)).await;
            }
        }));
    }

    fn start(&self) {}

    async fn clear(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome> {
        let FleetMember { store, clock, .. } = &self.0;
        await_near_caches(async {
            let is_published = |(_, published): &(_, Option<_>)| published.is_some();
            if let Some(backplane) = store.backplane()
                && (ended.unnamed || !ended.evicted.iter().all(is_published))
            {
                in_time(TIMEOUT, backplane.publish(None, ended.invalidation())).await?;
            }
            let from = clock.now();
            if wait == Wait::None {
                let cleared_within = with_drift(longest);
                return Ok((
                    "not_awaited",
                    NearCacheOutcome::NotAwaited { cleared_within },
                ));
            }
            until(&**clock, from + with_drift(longest)).await;
            let cleared = NearCacheOutcome::Cleared {
                servers: Vec::new(),
                silent: Vec::new(),
                waited: clock.now().since(from),
            };
            Ok(("age", cleared))
        })
        .await
    }

    async fn left(&self) {}

    fn stats(&self) -> Option<NearCacheStats> {
        None
    }
}

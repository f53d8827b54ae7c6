use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BeginSession, Begun, CutoffClock, CutoffTime, Error, EvictOptions, EvictTarget,
    Evicted, Result, TokenStore,
};

use crate::fault::Fault;

/// Keeps the not-before time that was set last, even if the other is later.
#[derive(Default)]
pub(crate) struct LowersNotBefore {
    not_before_times: Mutex<HashMap<(AccountKey, CutoffClock), CutoffTime>>,
}

#[async_trait]
impl Fault for LowersNotBefore {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        let times = session.record.times;
        let not_before_times = self
            .not_before_times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let refused = not_before_times
            .iter()
            .any(|((marked, _), moment)| marked == account && times.is_not_after(*moment));
        if refused {
            return Err(Error::signed_out("begin a session"));
        }
        healthy.begin(account, session).await
    }

    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        if let EvictTarget::Account(moment) = target {
            self.not_before_times
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((*account, moment.clock), moment);
            options.not_before_lifetime = Duration::ZERO;
        }
        healthy.evict(account, target, options).await
    }
}

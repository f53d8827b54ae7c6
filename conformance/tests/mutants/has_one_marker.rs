use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BeginSession, Begun, Cut, Error, EvictOptions, Evicted, Moment, Result, TokenStore,
};

use crate::fault::Fault;

/// Keeps one marker an account, whichever clock it is of.
#[derive(Default)]
pub(crate) struct HasOneMarker {
    markers: Mutex<HashMap<AccountKey, Moment>>,
}

#[async_trait]
impl Fault for HasOneMarker {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        let places = session.record.places;
        let markers = self
            .markers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let refused = markers
            .iter()
            .any(|(marked, moment)| marked == account && places.stands_before(*moment));
        if refused {
            return Err(Error::signed_out("begin a session"));
        }
        healthy.begin(account, session).await
    }

    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        if let Cut::Account(moment) = cut {
            self.markers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*account, moment);
            options.marker_life = Duration::ZERO;
        }
        healthy.evict(account, cut, options).await
    }
}

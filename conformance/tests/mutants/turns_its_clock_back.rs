use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use token_cache_conformance::async_trait;
use token_cache_core::{Namespace, Result, TokenStore};

use crate::fault::Fault;

/// Tells an earlier time at every other look.
#[derive(Default)]
pub(crate) struct TurnsItsClockBack {
    looks: AtomicUsize,
}

#[async_trait]
impl Fault for TurnsItsClockBack {
    async fn namespace(&self, healthy: &dyn TokenStore) -> Result<Namespace> {
        let mut namespace = healthy.namespace().await?;
        if self.looks.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
            namespace.time = namespace.time - Duration::from_secs(60);
        }
        Ok(namespace)
    }
}

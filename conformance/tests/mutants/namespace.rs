//! Faults of the namespace's record and of the store's clock.

use std::{sync::atomic::AtomicUsize, sync::atomic::Ordering, time::Duration};

use crate::fault::fault;

/// Writes the namespace's record without a look at what is there.
#[derive(Default)]
pub(crate) struct TakesAnyRecord;

fault! {
    impl TakesAnyRecord {
        set_namespace(self, healthy, _, record) {
            let there = healthy.namespace().await?.record;
            healthy.set_namespace(there.as_ref(), record).await
        }
    }
}

/// Tells an earlier time at every other look.
#[derive(Default)]
pub(crate) struct TurnsItsClockBack {
    looks: AtomicUsize,
}

fault! {
    impl TurnsItsClockBack {
        namespace(self, healthy) {
            let mut namespace = healthy.namespace().await?;
            if self.looks.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                namespace.time = namespace.time - Duration::from_secs(60);
            }
            Ok(namespace)
        }
    }
}

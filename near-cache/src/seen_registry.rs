use token_cache_core::{
    RegistryId,
    near_cache::{BootInstant, FleetConfig, STALE_AFTER, with_drift},
};

/// The registry of leases that this server has seen last, on any connection.
///
/// A different id means that the store was emptied, and the namespace record with it. A server that is new to the store may not know then
/// that others have near caches.
#[derive(Debug, Default)]
pub(super) struct SeenRegistry {
    last: Option<RegistryId>,
    /// When a different registry was seen, if the record was not read since.
    emptied: Option<BootInstant>,
    /// When every server has read the record again after that.
    known_to_all: Option<BootInstant>,
}

impl SeenRegistry {
    /// Records the id of a registry, and returns whether it differs from the last one.
    pub(super) fn met(&mut self, registry: RegistryId, now: BootInstant) -> bool {
        let is_another = self
            .last
            .replace(registry)
            .is_some_and(|last| last != registry);
        if is_another {
            self.emptied = Some(now);
        }
        is_another
    }

    /// Returns the time from which entries may be served, by what is known of the record now.
    pub(super) fn serves_from(
        &mut self,
        config: &FleetConfig,
        now: BootInstant,
    ) -> Option<BootInstant> {
        if let Some(emptied) = self.emptied {
            if config.read_at <= emptied {
                return None;
            }
            self.emptied = None;
            self.known_to_all = Some(now + with_drift(STALE_AFTER));
        }
        Some(
            config
                .serves_from()?
                .max(self.known_to_all.unwrap_or_default()),
        )
    }
}

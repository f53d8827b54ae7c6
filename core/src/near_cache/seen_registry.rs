use super::{
    BootInstant,
    fleet_config::{FleetConfig, STALE_AFTER},
    lease::with_drift,
};
use crate::RegistryId;

/// Which registry of lease holders this server has met last, on whatever connection. Another one says that the store was emptied, and the
/// namespace's record with it: a server that is new to it may know of nobody who keeps copies.
#[derive(Debug, Default)]
pub(super) struct SeenRegistry {
    last: Option<RegistryId>,
    /// When another one was met, and the record was not read since.
    emptied: Option<BootInstant>,
    /// When everybody has read the record again after that.
    known_to_all: Option<BootInstant>,
}

impl SeenRegistry {
    /// A registry is met: whether it is another than before.
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

    /// From when on copies may be served, by what is known of the record at this moment.
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

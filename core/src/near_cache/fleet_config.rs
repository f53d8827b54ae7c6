use std::time::Duration;

use tokio::sync::watch;

use super::{BootInstant, with_drift};

/// The age from which the namespace record is read again before it is used. A server that was paused or cut off may have missed a new
/// generation, or that another server has a near cache by now.
pub const STALE_AFTER: Duration = Duration::from_secs(3);

/// The settings of near caches in the namespace record, as this server knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetConfig {
    /// The longest life of a near-cache entry on any server: see
    /// [`NamespaceRecord::longest_near_cache_life`](crate::NamespaceRecord::longest_near_cache_life).
    pub longest: Duration,
    /// The time since which the record has stated a shorter life than `longest`.
    pub lowered: Option<BootInstant>,
    /// The time when the last read of the record was sent.
    pub read_at: BootInstant,
    /// The time since which the record has allowed a life as long as this server's. `None` if it does not yet.
    pub agreed: Option<BootInstant>,
    /// Whether this server must give up its lease, for a shutdown.
    pub leaving: bool,
}

impl FleetConfig {
    /// Returns the settings of a server that has just read, or written, its first record.
    pub(crate) fn first(longest: Duration, read_at: BootInstant, agreed: BootInstant) -> Self {
        Self {
            longest,
            lowered: None,
            read_at,
            agreed: Some(agreed),
            leaving: false,
        }
    }

    /// Updates the settings from a record. `asked` is when its read was sent, and `now` is when it was answered. `is_agreed` is whether the
    /// record allows this server's near-cache life.
    ///
    /// A shorter life is not accepted at once. The record may have been lost, and rewritten by a server that did not know it. A server with
    /// a near cache serves its entries until it has read the new record.
    pub(crate) fn note(
        &mut self,
        longest: Duration,
        asked: BootInstant,
        now: BootInstant,
        is_agreed: bool,
    ) {
        if asked < self.read_at {
            // A read that was sent later was answered earlier.
            return;
        }
        self.lowered = (longest < self.longest).then(|| self.lowered.unwrap_or(asked));
        let is_believed = self
            .lowered
            .is_none_or(|since| now.since(since) > with_drift(STALE_AFTER + self.longest));
        if is_believed {
            self.longest = longest;
            self.lowered = None;
        }
        self.read_at = asked;
        self.agreed = is_agreed.then(|| self.agreed.unwrap_or(now));
    }

    /// Returns the time from which this server may serve what it reads after that time. By then, a server that signs out has read the
    /// record, or it reads the record before its sign-out returns.
    pub fn serves_from(&self) -> Option<BootInstant> {
        let agreed = self.agreed.filter(|_| !self.leaving)?;
        Some(agreed + with_drift(STALE_AFTER))
    }

    /// Returns whether the record was read recently enough to be used.
    pub fn is_fresh(&self, now: BootInstant) -> bool {
        now.since(self.read_at) <= STALE_AFTER
    }
}

/// The [`FleetConfig`] of this server, which changes as the server reads the namespace record.
#[derive(Debug, Clone)]
pub struct FleetConfigWatch(watch::Receiver<FleetConfig>);

impl FleetConfigWatch {
    pub(crate) fn of(config: &watch::Sender<FleetConfig>) -> Self {
        Self(config.subscribe())
    }

    /// Returns the present settings.
    pub fn get(&self) -> FleetConfig {
        *self.0.borrow()
    }

    /// Returns the present settings, and counts them as seen: [`changed`](Self::changed) waits for later ones.
    pub fn see(&mut self) -> FleetConfig {
        *self.0.borrow_and_update()
    }

    /// Waits until the settings have changed since they were last seen, and returns `true`. Returns `false` if the cache was dropped.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

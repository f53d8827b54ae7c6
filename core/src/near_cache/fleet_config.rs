use std::time::Duration;

use super::{BootInstant, lease::with_drift};

/// What a server knows of its namespace is read again before it is used where it is older than this: a server that was paused, or
/// cut off, may have missed a new generation, or that another server keeps near caches by now.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(3);

/// What the namespace's record says of near caches, as this server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FleetConfig {
    /// The longest life of a copy of any server: see
    /// [`NamespaceRecord::longest_near_cache_life`](crate::NamespaceRecord::longest_near_cache_life).
    pub(crate) longest: Duration,
    /// Since when the record has said less than that.
    pub(crate) lowered: Option<BootInstant>,
    /// When that was asked for.
    pub(crate) read_at: BootInstant,
    /// Since when the record has said that a copy may live as long as this server's: none where it doesn't yet.
    pub(crate) agreed: Option<BootInstant>,
    /// Whether this server is to give its lease up, for a shutdown.
    pub(crate) leaving: bool,
}

impl FleetConfig {
    /// What a server knows that has just read, or written, its first record.
    pub(crate) fn first(longest: Duration, read_at: BootInstant, agreed: BootInstant) -> Self {
        Self {
            longest,
            lowered: None,
            read_at,
            agreed: Some(agreed),
            leaving: false,
        }
    }

    /// Notes what the record that was `asked` for then says, and whether it is what this server needs; `now` it was answered.
    ///
    /// Less than before is not believed at once: the record may have been lost, and written anew by a server that knew nothing of it,
    /// and whoever keeps copies serves them until it has read that.
    pub(crate) fn note(
        &mut self,
        longest: Duration,
        asked: BootInstant,
        now: BootInstant,
        is_agreed: bool,
    ) {
        if asked < self.read_at {
            // A later look was answered before.
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

    /// From when on this server may serve copies, of what it has read from then on: whoever signs out has read the record by
    /// then, or reads it before its sign-out returns.
    pub(super) fn serves_from(&self) -> Option<BootInstant> {
        let agreed = self.agreed.filter(|_| !self.leaving)?;
        Some(agreed + with_drift(STALE_AFTER))
    }

    /// Whether it was read lately enough to act upon.
    pub(crate) fn is_fresh(&self, now: BootInstant) -> bool {
        now.since(self.read_at) <= STALE_AFTER
    }
}

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// What token-cache counted in an app server, by metric and outcome: `token_cache_near_cache_reads_total hit`.
pub(crate) type Figures = BTreeMap<String, u64>;

/// Records what token-cache counts in this process.
#[derive(Debug)]
pub(super) struct Counted(Snapshotter);

impl Counted {
    /// Starts recording. Returns `None` if the process has another recorder.
    pub(super) fn install() -> Option<Self> {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        recorder.install().ok()?;
        Some(Self(snapshotter))
    }

    /// Returns what was counted since the last call.
    pub(super) fn since_last(&self) -> Figures {
        let mut figures = Figures::new();
        for (key, _, _, value) in self.0.snapshot().into_vec() {
            let DebugValue::Counter(count @ 1..) = value else {
                continue;
            };
            let key = key.key();
            let outcome = key.labels().find(|label| label.key() == "outcome");
            let name = match outcome {
                Some(outcome) => format!("{} {}", key.name(), outcome.value()),
                None => key.name().to_owned(),
            };
            *figures.entry(name).or_default() += count;
        }
        figures
    }
}

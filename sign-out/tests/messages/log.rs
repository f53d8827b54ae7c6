//! Collects the log and the metrics of a test's thread.

use std::{
    fmt::{Debug, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) event: String,
    pub(crate) text: String,
}

/// The log of this thread, until it is dropped.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    _guard: DefaultGuard,
}

impl Log {
    pub(crate) fn start() -> Self {
        // Otherwise an event that another thread logs first, without a subscriber, is disabled for the whole process.
        let _ = tracing::subscriber::set_global_default(Collector::default());
        let collector = Collector::default();
        let lines = Arc::clone(&collector.lines);
        Self {
            lines,
            _guard: tracing::subscriber::set_default(collector),
        }
    }

    /// Returns the lines of these routes since the last call.
    pub(crate) fn take(&self) -> Vec<Line> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }

    /// Returns the only line at WARN since the last call.
    pub(crate) fn warning(&self) -> Line {
        let mut lines = self.take();
        lines.retain(|line| line.level == Level::WARN);
        let [line] = lines.as_slice() else {
            panic!("not one warning: {lines:?}")
        };
        line.clone()
    }
}

#[derive(Default)]
struct Collector {
    lines: Arc<Mutex<Vec<Line>>>,
    spans: AtomicU64,
}

#[derive(Default)]
struct Fields {
    event: String,
    text: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            value.clone_into(&mut self.event);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.text, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "token_cache"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.lines.lock().unwrap().push(Line {
            level: *event.metadata().level(),
            event: fields.event,
            text: fields.text,
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs `work` on a runtime of this thread, and returns the count for each channel, issuer and outcome.
pub(crate) fn counted(work: impl Future<Output = ()>) -> Vec<([String; 3], u64)> {
    let recorder = DebuggingRecorder::new();
    let figures = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    messages(&figures)
}

fn messages(figures: &Snapshotter) -> Vec<([String; 3], u64)> {
    let mut counted = Vec::new();
    for (key, _, _, value) in figures.snapshot().into_vec() {
        let DebugValue::Counter(times) = value else {
            continue;
        };
        if key.key().name() != "token_cache_provider_messages_total" {
            continue;
        }
        let label = |name| {
            let mut labels = key.key().labels();
            let label = labels.find(|label| label.key() == name).unwrap();
            label.value().to_owned()
        };
        counted.push((["channel", "issuer", "outcome"].map(label), times));
    }
    counted.sort();
    counted
}

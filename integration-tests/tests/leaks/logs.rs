use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use tracing_subscriber::{
    Layer, Registry, filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Everything that this process logs, by `tracing` and by `log`, at every level and of every crate.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Installs the logger of this process. It can be set only once.
    pub(crate) fn all() -> Self {
        static ALL: OnceLock<Logs> = OnceLock::new();
        ALL.get_or_init(|| {
            let logs = Self::default();
            let layer = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
                .with_writer(logs.clone())
                .with_filter(LevelFilter::TRACE);
            Registry::default().with(layer).init();
            logs
        })
        .clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Panics if a level or a crate is missing: an empty log leaks nothing.
    pub(crate) fn were_kept(&self) {
        let text = self.text();
        for kept in ["TRACE", "DEBUG", "token_cache.sign_out", "hyper"] {
            assert!(text.contains(kept), "the log has no {kept}");
        }
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

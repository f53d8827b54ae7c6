use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    EntryKey, EntryValue, LockOwner, PutMode, PutResult, Result, Session, Version, WriteOptions,
    store::backend::backoff,
};

/// How long storing the provider's tokens is retried. They cannot be obtained again.
const PATIENCE: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Writes the result of a refresh, and retries while the store cannot take it. Every send has the same version, so a retry finds
/// a write that arrived although its answer was lost. Returns the version, or `None` if another one was put in between.
pub(super) async fn write_back(
    session: &Session,
    key: &EntryKey,
    value: EntryValue,
    mode: PutMode,
    releasing: Option<LockOwner>,
) -> Result<Option<Version>> {
    // Uses the last known keys, because the store may be unavailable already.
    let entry = session.entry(value, &session.keys()?)?;
    let until = Instant::now() + PATIENCE;
    let mut attempt = 0;
    loop {
        match send(session, key, &entry, mode, releasing).await {
            Err(error) if error.is_retryable() && Instant::now() < until => {
                time::sleep(backoff(FIRST_PAUSE, attempt)).await;
                attempt += 1;
            }
            written => {
                return written
                    .map(|written| (written == PutResult::Stored).then(|| entry.version()));
            }
        }
    }
}

async fn send(
    session: &Session,
    key: &EntryKey,
    entry: &crate::Entry,
    mode: PutMode,
    releasing: Option<LockOwner>,
) -> Result<PutResult> {
    let keys = session.fresh_keys().await?;
    let mut options = WriteOptions::at(keys.latest).mode(mode).durable();
    options.releasing = releasing;
    session.write_entry(&keys, key, entry, options).await
}

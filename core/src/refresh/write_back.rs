use std::time::Duration;

use tokio::time::{self, Instant};

use crate::{
    EntryKey, EntryValue, LockOwner, PutMode, PutResult, Result, Session, Version, WriteOptions,
    backend::backoff,
};

/// How long what the provider gave is tried to be stored. It can't be had again.
const PATIENCE: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Writes what a refresh gave, again and again while the store can't take it. Every send carries the same version, so one that
/// landed and whose answer was lost is found stored by the next. Answers the version; none where another has been put in between.
pub(super) async fn write_back(
    session: &Session,
    key: &EntryKey,
    value: EntryValue,
    mode: PutMode,
    releasing: Option<LockOwner>,
) -> Result<Option<Version>> {
    // Without a request: the store may be away already.
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
    let at = session.address(&keys, key);
    let store = session.cache().store();
    store.write(&at, entry.clone(), options).await
}

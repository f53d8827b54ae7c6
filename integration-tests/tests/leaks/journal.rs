use std::{
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use token_cache::{
    Entry, MemoryStore, PutResult, Result,
    store::{
        AccountKey, BackgroundKey, BackgroundSession, BackgroundSessions, BeginSession, Begun,
        EntryAddress, NamespaceRecord, ReadOptions, TokenStore, WriteOptions, delegate_store,
    },
};

/// A memory store that records every byte that it was given, including bytes that were deleted later.
#[derive(Clone)]
pub(crate) struct Journal {
    store: MemoryStore,
    written: Arc<Mutex<String>>,
}

impl Journal {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self {
            store,
            written: Arc::default(),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    fn note(&self, parts: &[&[u8]]) {
        let mut written = self.written.lock().unwrap();
        for part in parts {
            written.push_str(&String::from_utf8_lossy(part));
        }
        written.push('\n');
    }

    fn note_address(&self, at: &EntryAddress) {
        self.note(&[
            at.account().issuer().as_bytes(),
            at.account().subject(),
            at.session_id().as_bytes(),
            at.name().as_bytes(),
        ]);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("journal")
    }
}

#[async_trait]
impl TokenStore for Journal {
    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.note(&[&record.check]);
        self.store.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let sid = session.record.sid;
        self.note(&[
            account.issuer().as_bytes(),
            account.subject(),
            session.record.session_id.as_bytes(),
            sid.as_ref().map_or(&[], |sid| sid.as_bytes()),
        ]);
        self.store.begin(account, session).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.note_address(at);
        self.store.read(at, options).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.note_address(at);
        self.note(&[entry.stored(), entry.version().as_bytes()]);
        self.store.write(at, entry, options).await
    }

    delegate_store!(self => self.store; capabilities, diagnostics, namespace, session, remove, evict, sessions, clock, backplane);
}

#[async_trait]
impl BackgroundSessions for Journal {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        self.note(&[name.as_bytes(), &background_session.sealed]);
        self.store
            .keep(account, name, background_session, options)
            .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        self.store.find(account, name, options).await
    }
}

delegate_store!(impl RefreshLocks, SidIndex for Journal => store);

use std::fmt;

use async_trait::async_trait;
use token_cache_core::*;

use crate::RedisConfig;

/// The store on Redis or Valkey.
#[derive(Clone)]
pub struct RedisStore(());

impl RedisStore {
    /// Connects.
    ///
    /// # Errors
    /// The server's.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        config.check()?;
        Err(unwritten())
    }
}

fn unwritten() -> Error {
    Error::new(ErrorKind::Unsupported, "use Redis").store("redis")
}

#[async_trait]
impl TokenStore for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(16 << 20)
    }
    async fn namespace(&self) -> Result<Namespace> {
        Err(unwritten())
    }
    async fn set_namespace(
        &self,
        _: Option<&NamespaceRecord>,
        _: &NamespaceRecord,
    ) -> Result<bool> {
        Err(unwritten())
    }
    async fn begin(&self, _: &AccountKey, _: BeginSession) -> Result<Begun> {
        Err(unwritten())
    }
    async fn session(
        &self,
        _: &AccountKey,
        _: &EpochHash,
        _: ReadOptions,
    ) -> Result<SessionRecord> {
        Err(unwritten())
    }
    async fn read(&self, _: &EntryAddress, _: ReadOptions) -> Result<Option<Entry>> {
        Err(unwritten())
    }
    async fn write(&self, _: &EntryAddress, _: Entry, _: WriteOptions) -> Result<Written> {
        Err(unwritten())
    }
    async fn remove(&self, _: &EntryAddress) -> Result<()> {
        Err(unwritten())
    }
    async fn evict(&self, _: &AccountKey, _: Cut, _: EvictOptions) -> Result<Evicted> {
        Err(unwritten())
    }
    async fn sessions(&self, _: &AccountKey, _: ReadOptions) -> Result<Vec<SessionRecord>> {
        Err(unwritten())
    }
    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }
    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        None
    }
    fn directory(&self) -> Option<&dyn Directory> {
        None
    }
    fn escrow(&self) -> Option<&dyn Escrow> {
        None
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisStore")
    }
}

impl fmt::Display for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redis")
    }
}

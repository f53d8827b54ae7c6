use std::{collections::HashSet, time::Duration};

use redis::{aio::MultiplexedConnection, cmd, pipe};

use crate::Result;

/// The name of a key, which may be any bytes.
pub(super) type Key = Vec<u8>;

/// How many commands a pipeline of preparations has.
const PIPELINE: usize = 1_000;

/// The keys of the benchmark's namespace, to prepare and tidy up between turns. It never touches a key of another prefix.
pub(super) struct Keyspace {
    connection: MultiplexedConnection,
    prefix: String,
    /// The keys that existed at the start: the namespace's own record.
    kept: HashSet<Key>,
}

impl Keyspace {
    pub(super) async fn new(connection: MultiplexedConnection, prefix: &str) -> Result<Self> {
        let mut keyspace = Self {
            connection,
            prefix: prefix.to_owned(),
            kept: HashSet::new(),
        };
        keyspace.kept = keyspace.scan(None).await?.into_iter().collect();
        Ok(keyspace)
    }

    /// The keys of the accounts that have a partition.
    pub(super) async fn accounts(&self) -> Result<Vec<Key>> {
        let mut accounts = Vec::new();
        for chunk in self.scan(Some("hash")).await?.chunks(PIPELINE) {
            let mut newest = pipe();
            for key in chunk {
                newest.cmd("HEXISTS").arg(key).arg("n");
            }
            let are: Vec<bool> = newest.query_async(&mut self.connection.clone()).await?;
            let found = chunk.iter().zip(are).filter(|(_, is)| *is);
            accounts.extend(found.map(|(key, _)| key.clone()));
        }
        accounts.retain(|key| !self.kept.contains(key));
        Ok(accounts)
    }

    /// Removes everything since this keyspace was made, but `spared`, and waits until its memory is free.
    pub(super) async fn clear(&self, spared: &[Key]) -> Result<()> {
        let spared: HashSet<&Key> = spared.iter().chain(&self.kept).collect();
        let keys = self.scan(None).await?;
        let keys: Vec<&Key> = keys.iter().filter(|key| !spared.contains(key)).collect();
        for chunk in keys.chunks(PIPELINE) {
            let () = cmd("UNLINK")
                .arg(chunk)
                .query_async(&mut self.connection.clone())
                .await?;
        }
        self.settle().await
    }

    /// Makes every one of `keys` a copy of `template`, with its time to live.
    pub(super) async fn fill(&self, template: &Key, keys: &[Key]) -> Result<()> {
        for chunk in keys.chunks(PIPELINE) {
            let mut copies = pipe();
            for key in chunk {
                copies.cmd("COPY").arg(template).arg(key).arg("REPLACE");
            }
            let made: Vec<bool> = copies.query_async(&mut self.connection.clone()).await?;
            if made.contains(&false) {
                return Err("the template is gone".into());
            }
        }
        self.settle().await
    }

    /// Waits until the server has freed what was unlinked: the thread that does it would disturb what is measured next.
    pub(super) async fn settle(&self) -> Result<()> {
        while self.info("memory", "lazyfree_pending_objects").await? != 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Moves an account's partition to a name that no operation knows: what others are copied from.
    pub(super) async fn set_aside(&self, account: &Key) -> Result<Key> {
        let template = format!("{}-template", self.prefix).into_bytes();
        let () = cmd("RENAME")
            .arg(account)
            .arg(&template)
            .query_async(&mut self.connection.clone())
            .await?;
        Ok(template)
    }

    pub(super) async fn used_memory(&self) -> Result<u64> {
        self.info("memory", "used_memory").await
    }

    /// How many of these keys exist.
    pub(super) async fn existing(&self, keys: &[Key]) -> Result<usize> {
        let mut existing = 0;
        for chunk in keys.chunks(PIPELINE) {
            existing += cmd("EXISTS")
                .arg(chunk)
                .query_async::<usize>(&mut self.connection.clone())
                .await?;
        }
        Ok(existing)
    }

    pub(super) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    async fn info(&self, section: &str, field: &str) -> Result<u64> {
        let info: String = cmd("INFO")
            .arg(section)
            .query_async(&mut self.connection.clone())
            .await?;
        let value = info
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .ok_or_else(|| format!("the server says nothing of {field}"))?;
        Ok(value.parse()?)
    }

    async fn scan(&self, kind: Option<&str>) -> Result<Vec<Key>> {
        let mut keys = HashSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(format!("{}*", self.prefix));
            scan.arg("COUNT").arg(PIPELINE);
            if let Some(kind) = kind {
                scan.arg("TYPE").arg(kind);
            }
            let (next, page): (u64, Vec<Key>) =
                scan.query_async(&mut self.connection.clone()).await?;
            keys.extend(page);
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }
}

use redis::cmd;
use token_cache::{AccountId, EntryKey};

use super::{
    bench::{Bench, sign_in, token},
    keyspace::{Key, Keyspace},
};
use crate::Result;

/// The default size of an entry in bytes.
pub(super) const VALUE: usize = 2 * 1024;

/// How many writes are under way at once while accounts are prepared.
const WRITERS: usize = 64;

/// An account's key, and the names of the fields that a read of one entry asks for.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) account: Key,
    pub(super) session: Vec<u8>,
    pub(super) entry: Vec<u8>,
    /// The content of the entry's field.
    pub(super) value: Vec<u8>,
}

/// The entry key of this number.
pub(super) fn entry(number: usize) -> Result<EntryKey> {
    Ok(EntryKey::resource(&format!(
        "https://api-{number}.example"
    ))?)
}

/// Signs `account` in and puts so many entries, all through the cache, and finds them in the store.
pub(super) async fn make(
    bench: &Bench,
    account: AccountId,
    entries: usize,
) -> Result<(token_cache::Session, Stored)> {
    let keyspace = &bench.keyspace;
    let before = keyspace.accounts().await?;
    let session = sign_in(&bench.cache, account).await?;
    let mut writes = tokio::task::JoinSet::new();
    let value = token(VALUE);
    for number in 0..entries {
        if writes.len() == WRITERS
            && let Some(written) = writes.join_next().await
        {
            written??;
        }
        let (session, key, value) = (session.clone(), entry(number)?, value.clone());
        writes.spawn(async move { session.put(&key, value).await });
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    let after = keyspace.accounts().await?;
    let account = after
        .into_iter()
        .find(|key| !before.contains(key))
        .ok_or("the sign-in left no new key")?;
    Ok((session, find(keyspace, account).await?))
}

async fn find(keyspace: &Keyspace, account: Key) -> Result<Stored> {
    let mut connection = keyspace.connection();
    let fields: Vec<Vec<u8>> = cmd("HKEYS")
        .arg(&account)
        .query_async(&mut connection)
        .await?;
    let field = |kind: &[u8]| {
        let found = fields.iter().find(|field| field.starts_with(kind)).cloned();
        found.ok_or("the account has no such field")
    };
    let (session, entry) = (field(b"s:")?, field(b"e:")?);
    let value = cmd("HGET")
        .arg(&account)
        .arg(&entry)
        .query_async(&mut connection)
        .await?;
    Ok(Stored {
        account,
        session,
        entry,
        value,
    })
}

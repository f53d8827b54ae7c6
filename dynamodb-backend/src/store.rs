use std::{
    fmt,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Backplane, BeginSession, Begun, Capabilities, Diagnostic, Entry, EntryAddress,
    EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutMode, PutResult,
    ReadOptions, Result, SessionId, SessionRecord, TimeSource, TokenStore, WriteOptions,
};

use crate::{
    DynamoDbConfig, SweepOptions,
    account_ops::{ReplaceOutcome, live_session},
    client::{
        Client, Expression, Idempotency, Item, Operation, ReturnValues, load_sdk_config,
        random_version,
    },
    clock_watch,
    entry::{self, CreateConflict},
    error::signed_out,
    keys::{Key, Keys},
    preflight,
    record::{self, corrupt},
};

/// A [`TokenStore`] in one DynamoDB table. An encrypted entry may have up to 408,064 bytes. A write of a larger one fails with
/// [`TooLarge`](token_cache_core::ErrorKind::TooLarge).
///
/// Create it with [`connect`](Self::connect) once in each app server, and pass it to
/// [`TokenCache::open`](token_cache_core::TokenCache::open). Clones share the connections.
///
/// ```no_run
/// # async fn open() -> token_cache::Result<()> {
/// use token_cache::{Secret, TokenCache};
/// use token_cache::dynamodb::{DynamoDbConfig, DynamoDbStore};
///
/// let config = DynamoDbConfig::from_url("dynamodb://tokens?region=eu-central-1")?;
/// let store = DynamoDbStore::connect(config).await?;
/// let cache = TokenCache::open(store, Secret::from_env()?).await?;
/// for diagnostic in cache.diagnostics() {
///     eprintln!("{diagnostic}"); // logged as well
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DynamoDbStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) keys: Keys,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl DynamoDbStore {
    /// Opens the store: finds the AWS credentials, connects to DynamoDB, and checks the table of `config`. If the field
    /// [`sweep`](DynamoDbConfig::sweep) is set, it also starts the task of [`sweep_in_background`](Self::sweep_in_background).
    ///
    /// A setting of the table that only weakens a guarantee is not an error:
    /// [`TokenCache::diagnostics`](token_cache_core::TokenCache::diagnostics) returns it, and opening the cache logs it at WARN.
    ///
    /// # Errors
    /// - [`Config`](token_cache_core::ErrorKind::Config), before any request, if `config` is invalid.
    /// - [`Config`](token_cache_core::ErrorKind::Config) if `config` has no Region and the AWS SDK finds none.
    /// - [`Config`](token_cache_core::ErrorKind::Config) if the table is missing, is not active, has another key or has no time-to-live.
    ///   The message contains the AWS CLI command to run.
    /// - [`Denied`](token_cache_core::ErrorKind::Denied) if credentials or a permission are missing. The message names the permission.
    /// - [`Unavailable`](token_cache_core::ErrorKind::Unavailable) or [`TimedOut`](token_cache_core::ErrorKind::TimedOut) if DynamoDB
    ///   cannot be reached.
    pub async fn connect(config: DynamoDbConfig) -> Result<Self> {
        config.check()?;
        let client = Client::new(Box::pin(load_sdk_config(&config)).await, &config);
        Self::over(client, &config).await
    }

    pub(crate) async fn over(client: Client, config: &DynamoDbConfig) -> Result<Self> {
        let keys = Keys::new(&config.prefix);
        let diagnostics = Box::pin(preflight::check(&client, &keys, config)).await?;
        let inner = Arc::new(Inner {
            client,
            keys,
            diagnostics,
        });
        let store = Self(inner);
        tokio::spawn(clock_watch::run(store.downgrade()));
        if let Some(every) = config.sweep {
            store.sweep_in_background(
                SweepOptions::every(every).read_units(config.sweep_read_units),
            )?;
        }
        Ok(store)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Returns a weak reference for background tasks, which end with the store.
    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl Inner {
    /// Reads an item to get the `Date` of a response. A failure is ignored, since the next response has a `Date` too.
    pub(crate) async fn sample_clock(&self) {
        let operation = self.client.start("read the table's clock");
        let _ = self.client.get(operation, &self.keys.namespace()).await;
    }

    /// Puts an entry by its [`PutMode`], without a check of its session. Sends one request, or three if the versions of its creating writes
    /// must
    /// be trimmed first.
    async fn put(
        &self,
        operation: Operation,
        key: &Key,
        entry: &Entry,
        options: &WriteOptions,
    ) -> Result<bool> {
        let update = |idempotency, expression| {
            self.client.update(
                operation,
                idempotency,
                key,
                expression,
                ReturnValues::Nothing,
            )
        };
        match options.mode {
            // A first copy that arrives late would undo a later write.
            PutMode::Overwrite => {
                let put = update(
                    Idempotency::NonIdempotent,
                    entry::overwrite(entry, options.now),
                );
                Ok(put.await?.is_ok())
            }
            PutMode::Update(replaced) => {
                let expression = entry::replace(entry, replaced, options.now);
                Ok(update(Idempotency::Idempotent, expression).await?.is_ok())
            }
            PutMode::Create => loop {
                let create = entry::create(entry, options.now);
                let Err(refused) = update(Idempotency::Idempotent, create).await? else {
                    return Ok(true);
                };
                let existing = refused.existing.unwrap_or_default();
                match entry::create_conflict(operation.name, &existing, entry, options.now)? {
                    CreateConflict::AlreadyWritten => return Ok(true),
                    CreateConflict::PreconditionFailed => return Ok(false),
                    CreateConflict::TooManyCreations => {
                        // If it is refused, another server has trimmed them.
                        let _ = update(Idempotency::NonIdempotent, entry::trim_creations()).await?;
                    }
                }
            },
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for DynamoDbStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(entry::MAX_ENTRY_BYTES)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.0.diagnostics.clone()
    }

    /// Returns the record of the namespace and the time of the store's clock, as [`TokenStore::namespace`] describes. The time is an
    /// estimate from the header `Date` of all responses that the store has received so far, including the response to this request.
    async fn namespace(&self) -> Result<Namespace> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("read the namespace");
        let item = client.get(operation, &keys.namespace()).await?;
        let record = item.map(|item| {
            let record = item.bytes("d").and_then(record::decode_namespace);
            record.ok_or_else(|| corrupt(operation.name, "the record of the namespace"))
        });
        let now = client.now()?;
        Ok(Namespace::new(record.transpose()?, now.earliest).precise_to(now.width()))
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("write the namespace");
        let item = Item::at(&keys.namespace()).with("d", record::encode_namespace(record));
        let expression = match expected {
            None => Expression::condition("attribute_not_exists(#pk)"),
            Some(expected) => Expression::condition("#d = :expected")
                .value(":expected", record::encode_namespace(expected)),
        };
        let put = client
            .put(operation, Idempotency::NonIdempotent, item, expression)
            .await?;
        Ok(put.is_ok())
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let inner = self.inner();
        let client = &inner.client;
        let operation = client.start("begin a session");
        let key = inner.keys.account_item(account);
        loop {
            let seen = inner.account_item(operation, &key).await?;
            let mut new = seen.decode_all(operation)?;
            client.check_deadline(operation, session.not_after)?;
            if new.refuses(&session.record, client.now()?.earliest) {
                return Err(signed_out(operation.name));
            }
            let displaced = new.begin(&session);
            let version = random_version()?;
            let replaced = inner
                .replace(
                    operation,
                    Idempotency::NonIdempotent,
                    (&key, &seen),
                    (&new, version.as_slice()),
                )
                .await?;
            if replaced == ReplaceOutcome::Conflict {
                client.back_off(operation).await?;
                continue;
            }
            if let Err(late) = client.check_deadline(operation, session.not_after) {
                let taken_back = EvictTarget::Session(session.record.session_id);
                let options = EvictOptions::at(session.now);
                // The caller gets the refusal. No ticket contains the secret of this session.
                let _ = inner.evict(account, taken_back, options, false).await;
                return Err(late);
            }
            return Ok(Begun::displacing(displaced));
        }
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let inner = self.inner();
        let operation = inner.client.start("read a session");
        inner
            .live_session(operation, account, session_id, options.now)
            .await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("read an entry");
        let (account_item, entry) = (keys.account_item(at.account()), keys.entry(at));
        let [account_item, entry] = client.get_both(operation, [&account_item, &entry]).await?;
        live_session(
            operation,
            account_item.as_ref(),
            at.session_id(),
            options.now,
        )?;
        let entry = entry.map(|item| entry::decode(operation.name, item));
        Ok(entry
            .transpose()?
            .flatten()
            .filter(|entry| !entry.is_expired(options.now)))
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        entry::check_size(&entry)?;
        let inner = self.inner();
        let client = &inner.client;
        let operation = client.start("write an entry");
        let key = inner.keys.entry(at);
        let stored = inner.put(operation, &key, &entry, &options).await?;
        let alive = inner.live_session(operation, at.account(), at.session_id(), options.now);
        match (alive.await, stored) {
            (Ok(_), true) => Ok(PutResult::Stored),
            (Ok(_), false) => Ok(PutResult::PreconditionFailed),
            (Err(refused), true) if refused.is_signed_out() => {
                let own = entry::if_version(entry.version());
                let cleaning = client.start("remove an entry of an ended session");
                // The caller gets the refusal. An item that remains cannot be addressed.
                let _ = client
                    .delete(cleaning, Idempotency::Idempotent, &key, own)
                    .await;
                Err(refused)
            }
            (Err(error), true) => Err(error.maybe_applied()),
            (Err(error), false) => Err(error),
        }
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        let Inner { client, keys, .. } = self.inner();
        let operation = client.start("remove an entry");
        let (key, remove) = (keys.entry(at), entry::remove(client.now()?.latest));
        let removed = client.update(
            operation,
            Idempotency::NonIdempotent,
            &key,
            remove,
            ReturnValues::Nothing,
        );
        // A refusal means that the item does not exist.
        removed.await.map(drop)
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.inner().evict(account, target, options, true).await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        let inner = self.inner();
        let operation = inner.client.start("list sessions");
        let seen = inner
            .account_item(operation, &inner.keys.account_item(account))
            .await?;
        let sessions = seen.decode_all(operation)?.sessions.into_values();
        Ok(sessions
            .filter(|session| !session.is_over(options.now))
            .collect())
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore")
            .field("client", &self.0.client)
            .field("keys", &self.0.keys)
            .field("diagnostics", &self.0.diagnostics)
            .finish()
    }
}

impl fmt::Display for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::STORE)
    }
}

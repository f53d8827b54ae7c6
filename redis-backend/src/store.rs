use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Backplane, BeginSession, Begun, Capabilities, Diagnostic, Entry, EntryAddress,
    Error, ErrorKind, EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutMode,
    PutResult, ReadOptions, Result, SessionId, SessionRecord, TimeSource, Timestamp, TokenStore,
    WriteOptions, backend,
};

use crate::{
    RedisConfig,
    backplane::{self, OpenConnections},
    client::{Call, Client, Idempotency, Reply, unexpected},
    error::invalid_config,
    evict::{EVICT, evict_call},
    keys::{Keys, duration_millis, entry_field, millis, session_field},
    preflight::{self, Preflight},
    record,
    replies::{check_granted, hash, live_session, pairs},
    scripts,
};

/// The largest entry. The server allows 512 MiB, but a long request delays the others.
const MAX_ENTRY_BYTES: usize = 16 << 20;

/// A [`TokenStore`] on Redis 7.0 or newer, or Valkey: a single Redis server, a primary behind Sentinels, or a Cluster. An encrypted entry
/// may have up to 16 MiB. A write of a larger one fails with [`TooLarge`](ErrorKind::TooLarge).
///
/// Create it with [`connect`](Self::connect) once in each app server, and pass it to
/// [`TokenCache::open`](token_cache_core::TokenCache::open). Clones share the connections.
///
/// ```no_run
/// # async fn open() -> token_cache::Result<()> {
/// use token_cache::{Secret, TokenCache};
/// use token_cache::redis::{RedisConfig, RedisStore};
///
/// let store = RedisStore::connect(RedisConfig::from_url("redis://cache.internal")?).await?;
/// let cache = TokenCache::open(store, Secret::from_env()?).await?;
/// for diagnostic in cache.diagnostics() {
///     eprintln!("{diagnostic}"); // logged as well
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) keys: Keys,
    pub(crate) checked: Preflight,
    pub(crate) open_connections: OpenConnections,
    /// Whether every write of an entry waits for replicas.
    confirm_every_write: bool,
}

impl RedisStore {
    /// Opens the store: connects to the Redis servers of `config`, and checks the version, the permissions and the settings of the Redis
    /// server. A setting of the Redis server that only weakens a guarantee is not an error:
    /// [`TokenCache::diagnostics`](token_cache_core::TokenCache::diagnostics) returns it, and opening the cache logs it at WARN.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config), before any request, if `config` is invalid, or a file of [`Tls`](crate::Tls) cannot be read.
    /// - [`Config`](ErrorKind::Config) if the Redis server is older than Redis 7.0, or does not match `config`: it does not have the
    ///   database, for example, or the TLS handshake fails.
    /// - [`Denied`](ErrorKind::Denied) if the user name or the password is wrong, or a permission is missing. The message names the missing
    ///   commands.
    /// - [`Unavailable`](ErrorKind::Unavailable) or [`TimedOut`](ErrorKind::TimedOut) if a Redis server cannot be reached within the
    ///   timeouts of `config`.
    /// - [`Unavailable`](ErrorKind::Unavailable) if fewer replicas confirm a write than [`Durability`](crate::Durability) requires.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        config.check()?;
        // Boxed: the compiler gives up on futures that are nested too deep.
        let opening: Pin<Box<dyn Future<Output = Result<Inner>> + Send + '_>> =
            Box::pin(async { Inner::over(Client::connect(&config).await?, &config).await });
        let mut inner = opening
            .await
            .map_err(|error| crate::error::with_servers(&config.topology, error))?;
        if let Some(key) = config.tls.as_ref().and_then(|tls| tls.key.as_deref()) {
            let readable = backend::readable_by_others(key).map_err(|error| {
                invalid_config(
                    "the permissions of the file of `key` cannot be read; check the path",
                )
                .with_source(error)
            })?;
            inner.checked.diagnostics.extend(readable);
        }
        Ok(Self(Arc::new(inner)))
    }

    #[cfg(feature = "redis-1")]
    pub(crate) async fn over(client: Client, config: &RedisConfig) -> Result<Self> {
        Ok(Self(Arc::new(Inner::over(client, config).await?)))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Evicts an account without publishing it.
    pub(crate) async fn evict_at_once(
        &self,
        account: &AccountKey,
        what: EvictTarget,
        not_before_lifetime: u64,
        now: Timestamp,
    ) -> Result<Evicted> {
        let call = evict_call(&self.0.keys, account, what, None)
            .number(not_before_lifetime)
            .number(millis(now));
        self.0.evicted(call).await
    }
}

impl Inner {
    async fn over(client: Client, config: &RedisConfig) -> Result<Self> {
        let keys = Keys::new(config.prefix.clone());
        let checked = preflight::check(&client, &keys).await?;
        Ok(Self {
            client,
            keys,
            checked,
            open_connections: OpenConnections::default(),
            confirm_every_write: config.confirm_every_write,
        })
    }

    /// Sends an eviction that is not published.
    pub(crate) async fn evicted(&self, call: Call) -> Result<Evicted> {
        let confirmed = self
            .client
            .confirmed(EVICT, Idempotency::Idempotent, call)
            .await?;
        let ended = confirmed.answer.number(EVICT)? == 1;
        Ok(Evicted::new(ended).confirmed_by(confirmed.replicas))
    }

    /// Sends a read. On a single server, entries for the near cache are read over the connection to the backplane, if one is open.
    async fn reading(
        &self,
        operation: &'static str,
        call: &Call,
        options: ReadOptions,
    ) -> Result<Reply> {
        if options.for_near_cache
            && !self.client.is_cluster()
            && let Some(pubsub) = self.open_connections.last()
        {
            return Box::pin(pubsub.send(operation, call)).await;
        }
        self.client.call(operation, Idempotency::Read, call).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(MAX_ENTRY_BYTES)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.0.checked.diagnostics.clone()
    }

    async fn namespace(&self) -> Result<Namespace> {
        const OPERATION: &str = "read the namespace";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::NAMESPACE, [keys.namespace()]);
        let mut answer = client
            .call(OPERATION, Idempotency::Read, &call)
            .await?
            .list(OPERATION)?;
        let mut next = || answer.next().ok_or_else(|| unexpected(OPERATION));
        let record = next()?
            .bytes(OPERATION)?
            .map(|bytes| record::decode_namespace(&bytes))
            .transpose()?;
        let mut time = next()?.list(OPERATION)?;
        let mut next = || {
            time.next()
                .and_then(|part| u64::try_from(part.number(OPERATION).ok()?).ok())
                .ok_or_else(|| unexpected(OPERATION))
        };
        let (seconds, micros) = (next()?, next()?);
        let time = Timestamp::from_millis(seconds * 1_000 + micros / 1_000);
        Ok(Namespace::new(record, time))
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        const OPERATION: &str = "write the namespace";
        let Inner { client, keys, .. } = self.inner();
        let expected = expected.map(record::encode_namespace).unwrap_or_default();
        let call = Call::script(&scripts::SET_NAMESPACE, [keys.namespace()])
            .bytes(&expected)
            .bytes(&record::encode_namespace(record));
        let confirmed = client
            .confirmed(OPERATION, Idempotency::NonIdempotent, call)
            .await?;
        Ok(confirmed.answer.number(OPERATION)? == 1)
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        const OPERATION: &str = "begin a session";
        let Inner { client, keys, .. } = self.inner();
        let keys = [keys.account(account), keys.not_before(account)];
        let mut call = Call::script(&scripts::BEGIN, keys)
            .number(millis(session.not_after))
            .number(millis(session.now))
            .number(session.max_sessions as u64)
            .bytes(session.record.session_id.as_bytes())
            .bytes(&record::encode_session(&session.record));
        for session_id in &session.supersedes {
            call = call.bytes(session_id.as_bytes());
        }
        let confirmed = client
            .confirmed(OPERATION, Idempotency::NonIdempotent, call)
            .await?;
        let mut answer = confirmed.answer.list(OPERATION)?;
        let mut next = || match answer.next() {
            Some(number) => number.number(OPERATION),
            None => Err(unexpected(OPERATION)),
        };
        check_granted(OPERATION, next()?)?;
        let displaced = usize::try_from(next()?).map_err(|_| unexpected(OPERATION))?;
        Ok(Begun::displacing(displaced))
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        const OPERATION: &str = "read a session";
        let inner = self.inner();
        let call =
            Call::command("HMGET", inner.keys.account(account)).bytes(&session_field(session_id));
        let answer = inner.reading(OPERATION, &call, options).await?;
        let read = answer
            .list(OPERATION)?
            .next()
            .map(|one| one.bytes(OPERATION));
        live_session(
            OPERATION,
            *session_id,
            read.transpose()?.flatten(),
            options.now,
        )
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        const OPERATION: &str = "read an entry";
        let inner = self.inner();
        let call = Call::command("HMGET", inner.keys.account(at.account()))
            .bytes(&session_field(at.session_id()))
            .bytes(&entry_field(at));
        let answer = inner.reading(OPERATION, &call, options).await?;
        let [session, entry] = answer.pair(OPERATION)?;
        live_session(OPERATION, *at.session_id(), session, options.now)?;
        let entry = entry.map(record::decode_entry).transpose()?;
        Ok(entry.filter(|entry| !entry.is_expired(options.now)))
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        const OPERATION: &str = "write an entry";
        if entry.stored().len() > MAX_ENTRY_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, OPERATION)
                .store(crate::STORE)
                .message(format!(
                    "the value is larger than {MAX_ENTRY_BYTES} bytes; store a smaller value"
                )));
        }
        let inner = self.inner();
        let Inner { client, keys, .. } = inner;
        let account = keys.account(at.account());
        let call = match options.releasing {
            Some(_) => Call::script(&scripts::WRITE, [account, keys.lock(at)]),
            None => Call::script(&scripts::WRITE, [account]),
        };
        // A late copy of an unconditional write would undo a later write. A late copy of a conditional one is refused.
        let (over, idempotency): (&[u8], _) = match &options.mode {
            PutMode::Overwrite => (b"", Idempotency::NonIdempotent),
            PutMode::Create => (b"-", Idempotency::Idempotent),
            PutMode::Update(version) => (version.as_bytes(), Idempotency::Idempotent),
        };
        let mut call = call
            .bytes(&session_field(at.session_id()))
            .bytes(&entry_field(at))
            .number(millis(options.now))
            .bytes(&record::encode_entry(&entry))
            .bytes(over);
        if let Some(owner) = &options.releasing {
            call = call.bytes(owner.as_bytes());
        }
        let answer = if options.durable || inner.confirm_every_write {
            client.confirmed(OPERATION, idempotency, call).await?.answer
        } else {
            client.call(OPERATION, idempotency, &call).await?
        };
        match answer.number(OPERATION)? {
            2 => Ok(PutResult::PreconditionFailed),
            answer => check_granted(OPERATION, answer).map(|()| PutResult::Stored),
        }
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        const OPERATION: &str = "remove an entry";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::command("HDEL", keys.account(at.account())).bytes(&entry_field(at));
        client
            .call(OPERATION, Idempotency::NonIdempotent, &call)
            .await
            .map(drop)
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let life = duration_millis(options.not_before_lifetime);
        match options.publish {
            Some(origin) => {
                let evicting =
                    backplane::evict(self.inner(), origin, account, target, life, options.now);
                Box::pin(evicting).await
            }
            None => self.evict_at_once(account, target, life, options.now).await,
        }
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        const OPERATION: &str = "list sessions";
        let Inner { client, keys, .. } = self.inner();
        let call = Call::script(&scripts::SESSIONS, [keys.account(account)]);
        let answer = client.call(OPERATION, Idempotency::Read, &call).await?;
        let mut sessions = Vec::new();
        for (session_id, record) in pairs(OPERATION, answer)? {
            let session_id = SessionId::from_bytes(hash(OPERATION, &session_id)?);
            sessions.push(record::decode_session(session_id, &record)?);
        }
        sessions.retain(|session| !session.is_over(options.now));
        Ok(sessions)
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        Some(self)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keys", &self.0.keys)
            .field("diagnostics", &self.0.checked.diagnostics)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::STORE)
    }
}

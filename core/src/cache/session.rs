use std::{fmt, sync::Arc};

use super::{Keys, TokenCache};
use crate::backend::in_call;
use crate::{
    AccountKey, Entry, EntryAddress, EntryKey, EntryValue, Error, ErrorKind, PutMode, PutResult,
    ReadOptions, Result, SessionId, SidKey, SignOut, SignOutScope, Ticket, Timestamp, Version,
    WriteOptions,
    seal::SessionKeys,
    telemetry::{About, Operation, observe},
    ticket::TicketPayload,
};

/// One sign-in of one browser: a handle to its entries. Cheap to clone.
///
/// Every call asks the store whether the session still lives, in the same request. A read that this server has a
/// [near-cache entry](crate::TokenCacheBuilder::near_cache) for asks nobody: no sign-out returns while one may be served.
#[derive(Clone)]
pub struct Session {
    cache: TokenCache,
    payload: TicketPayload,
    id: SessionId,
    secret: Arc<SessionKeys>,
}

impl Session {
    pub(super) fn new(cache: TokenCache, payload: TicketPayload) -> Result<Self> {
        let id = payload.ticket_secret.session_id();
        let secret = Arc::new(SessionKeys::new(payload.ticket_secret.clone()));
        let session = Self {
            cache,
            payload,
            id,
            secret,
        };
        session.keys()?;
        Ok(session)
    }

    /// What the app keeps in its session cookie. Does no I/O.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn ticket(&self) -> Result<Ticket> {
        Ticket::issue(&self.cache.0.ring, &self.payload)
    }

    /// When the session ends by itself, on the store's clock.
    pub fn ends_at(&self) -> Timestamp {
        self.payload.ends_at
    }

    /// True where its account is one of `issuer`'s: a session knows its account by hashes alone, and so no more than that. Does no
    /// I/O.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) where the namespace has another secret by now.
    pub fn is_of_issuer(&self, issuer: &str) -> Result<bool> {
        let keys = self.cache.keys()?;
        Ok(keys.id_key.issuer(issuer) == *self.payload.account.issuer())
    }

    /// The entry under a key; none where there is none or it has expired. One request, strongly consistent; none where this server
    /// has a near-cache entry.
    ///
    /// # Errors
    /// [`SignedOut`](ErrorKind::SignedOut) where the session has ended (G1); [`Corrupt`](ErrorKind::Corrupt) for bytes in the
    /// store that are not ours; [`KeyMissing`](ErrorKind::KeyMissing) for an entry under a key that this server's ring lacks; the store's
    /// own failures, never as a miss (G4).
    pub async fn get(&self, key: &EntryKey) -> Result<Option<Entry>> {
        let read = async {
            let keys = self.fresh_keys().await?;
            let at = self.address(&keys, key);
            let options = ReadOptions::at(keys.latest);
            self.cache.store().read(&at, options).await
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Read, about, in_call(read), |entry| match entry {
            Some(_) => "hit",
            None => "miss",
        })
        .await
    }

    /// Puts a [`TokenSet`](crate::TokenSet), or any bytes, under a key, over whatever is there.
    ///
    /// A token set without a refresh token is kept until it expires, all else until the session ends.
    ///
    /// # Errors
    /// [`SignedOut`](ErrorKind::SignedOut) where the session has ended, however late the write lands (G2);
    /// [`TooLarge`](ErrorKind::TooLarge) before any request; [`Misuse`](ErrorKind::Misuse) for a token set that has expired; the
    /// store's own failures.
    pub async fn put<V>(&self, key: &EntryKey, value: V) -> Result<()>
    where
        V: TryInto<EntryValue>,
        Error: From<V::Error>,
    {
        match self.put_if(key, value, PutMode::Overwrite).await? {
            PutResult::Stored => Ok(()),
            PutResult::PreconditionFailed => {
                Err(Error::new(ErrorKind::Unexpected, "write an entry")
                    .message("the store refused an unconditional write"))
            }
        }
    }

    /// Puts a value under a key only over what `over` says: the write that a refresh ends with.
    ///
    /// Where servers keep near caches, they hear of an unconditional write within moments. One over a version they do not: until their
    /// copies are too old to be served, they answer with what it replaced.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_if<V>(&self, key: &EntryKey, value: V, mode: PutMode) -> Result<PutResult>
    where
        V: TryInto<EntryValue>,
        Error: From<V::Error>,
    {
        let value = value.try_into()?;
        let write = async {
            let keys = self.fresh_keys().await?;
            self.cache.0.token_warnings.check(&value, keys.latest);
            let entry = self.entry(value, &keys)?;
            let options = WriteOptions::at(keys.latest).mode(mode);
            let at = self.address(&keys, key);
            let _tells = (mode == PutMode::Overwrite).then(|| Publishes(self));
            self.cache.store().write(&at, entry, options).await
        };
        let about = About::account(&self.payload.account);
        observe(
            Operation::Write,
            about,
            in_call(write),
            |written| match written {
                PutResult::Stored => "stored",
                PutResult::PreconditionFailed => "precondition_failed",
            },
        )
        .await
    }

    /// What is written of a value: a new version of it, until its session ends or it is of no use.
    pub(crate) fn entry(&self, value: EntryValue, keys: &Keys) -> Result<Entry> {
        let limit = self.cache.store().capabilities().max_entry_bytes;
        if value.stored.len() > limit {
            return Err(
                Error::new(ErrorKind::TooLarge, "write an entry").message(format!(
                    "the value has {} bytes; store at most {limit} in one entry",
                    value.stored.len(),
                )),
            );
        }
        // The session's end can lie within the interval that holds the store's clock: then it counts as over, as for a read.
        if self.payload.ends_at <= keys.latest {
            return Err(Error::signed_out("write an entry").message("the session has just ended"));
        }
        let expires_at = value.useful_until.map_or(self.payload.ends_at, |until| {
            until.min(self.payload.ends_at)
        });
        if expires_at <= keys.latest {
            return Err(Error::misuse(
                "write an entry",
                "the tokens have expired and include no refresh token; store tokens that are valid",
            ));
        }
        Ok(Entry::of(value.stored, Version::mint()?, expires_at))
    }

    /// Removes the entry under a key, if there is one. One request.
    ///
    /// # Errors
    /// [`SignedOut`](ErrorKind::SignedOut) where the namespace was started anew; the store's own failures.
    pub async fn remove(&self, key: &EntryKey) -> Result<()> {
        let remove = async {
            let keys = self.fresh_keys().await?;
            let _tells = Publishes(self);
            self.cache.store().remove(&self.address(&keys, key)).await
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Remove, about, in_call(remove), |()| "removed").await
    }

    /// Ends this session and no other: [`TokenCache::sign_out`] of [`SignOutScope::Session`].
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`].
    pub async fn sign_out(&self) -> Result<SignOut> {
        self.cache
            .sign_out(SignOutScope::Session(self.clone()))
            .await
    }

    /// The `sid` it is labelled with; none where it has none, or has ended.
    pub(super) async fn sid_key(&self) -> Result<Option<SidKey>> {
        let options = ReadOptions::at(self.cache.fresh_keys().await?.latest);
        let store = self.cache.store();
        match store
            .session(&self.payload.account, &self.id, options)
            .await
        {
            Ok(record) => Ok(record.sid),
            Err(error) if error.is_signed_out() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks the store whether the session lives.
    pub(super) async fn check(&self) -> Result<()> {
        let check = async {
            let options = ReadOptions::at(self.fresh_keys().await?.latest);
            let store = self.cache.store();
            let record = store.session(&self.payload.account, &self.id, options);
            record.await.map(drop)
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Resume, about, in_call(check), |()| "living").await
    }

    pub(crate) fn cache(&self) -> &TokenCache {
        &self.cache
    }

    pub(crate) fn names(&self) -> (&AccountKey, &SessionId) {
        (&self.payload.account, &self.id)
    }

    pub(crate) async fn fresh_keys(&self) -> Result<Keys> {
        self.checked(self.cache.fresh_keys().await?)
    }

    /// The keys as they were last read, however long ago.
    pub(crate) fn keys(&self) -> Result<Keys> {
        self.checked(self.cache.keys()?)
    }

    /// The keys, if the session is of their generation and not over.
    fn checked(&self, keys: Keys) -> Result<Keys> {
        if self.payload.generation != keys.generation || self.payload.ends_at <= keys.earliest {
            return Err(Error::signed_out("use a session"));
        }
        Ok(keys)
    }

    pub(crate) fn address(&self, keys: &Keys, key: &EntryKey) -> EntryAddress {
        EntryAddress::new(self.payload.account, self.id, keys.id_key.entry(key))
            .with_secret(Arc::clone(&self.secret))
    }
}

/// Has other servers drop their near caches once a write may have landed, also where nobody waits for its answer any more.
struct Publishes<'a>(&'a Session);

impl Drop for Publishes<'_> {
    fn drop(&mut self) {
        let Session { cache, payload, .. } = self.0;
        cache.tell(&payload.account);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("ends_at", &self.payload.ends_at)
            .finish_non_exhaustive()
    }
}

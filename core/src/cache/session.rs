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

/// A session: one sign-in of one browser. The value is a handle, by which the app reads and writes the session's entries. It is cheap to
/// clone.
///
/// [`TokenCache::sign_in`] and [`TokenCache::resume`] return it. Each read and write checks in its one request that the session still
/// lives. A read with a [near-cache hit](crate::TokenCacheBuilder::near_cache) sends no request: no sign-out returns while such an entry
/// may be served.
#[derive(Clone)]
pub struct Session {
    cache: TokenCache,
    payload: TicketPayload,
    id: SessionId,
    secret: Arc<SessionKeys>,
}

impl TokenCache {
    /// Returns the session of a ticket, after a check that it lives. Sends one request, or none on a near-cache hit.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended, on whichever server that happened (G1);
    /// [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the ticket was changed or truncated: drop it.
    /// [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server lacks the ticket's key, and every error of the store,
    /// including [`Corrupt`](crate::ErrorKind::Corrupt): the session may still live, so keep the ticket.
    pub async fn resume(&self, ticket: &Ticket) -> Result<Session> {
        let session = self.resume_unverified(ticket)?;
        session.check().await?;
        Ok(session)
    }

    /// Returns the session of a ticket without a request to the store. The session may have been signed out: the first read or write
    /// checks that. Use it if such a call follows at once, since it saves a request.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), without the errors of the store.
    pub fn resume_unverified(&self, ticket: &Ticket) -> Result<Session> {
        Session::new(self.clone(), ticket.open(&self.0.ring)?)
    }
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

    /// Returns the entry under `key`, or `None` if it is missing or expired. Sends one strongly consistent request, or none on a
    /// near-cache hit.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session has ended, on whichever server that happened (G1).
    /// - [`Corrupt`](ErrorKind::Corrupt) if the stored bytes are invalid.
    /// - [`KeyMissing`](ErrorKind::KeyMissing) if this server's ring lacks the key of the entry.
    /// - The errors of the store, which are never reported as `None` (G4).
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

    /// Stores a [`TokenSet`](crate::TokenSet), or any bytes, under a key. Replaces the entry if there is one.
    ///
    /// A token set without a refresh token is stored until it expires, any other value until the session ends.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session has ended, however late the write arrives (G2).
    /// - [`TooLarge`](ErrorKind::TooLarge), before any request, if the value is over the store's limit.
    /// - [`Misuse`](ErrorKind::Misuse) for a token set that has expired and has no refresh token.
    /// - The errors of the store.
    pub async fn put<V>(&self, key: &EntryKey, value: V) -> Result<()>
    where
        V: TryInto<EntryValue>,
        Error: From<V::Error>,
    {
        match self.put_if(key, value, PutMode::Overwrite).await? {
            PutResult::Stored => Ok(()),
            PutResult::PreconditionFailed => {
                Err(Error::new(ErrorKind::Unexpected, "write an entry").message(
                    "the store refused an unconditional write, which is a fault of the store",
                ))
            }
        }
    }

    /// Stores a value under a key, if the precondition of `mode` holds: see [`PutMode`]. Otherwise it returns
    /// [`PutResult::PreconditionFailed`], and stores nothing.
    ///
    /// If app servers have near caches, an unconditional write is published to them shortly afterwards. A conditional write is not: until
    /// their near-cache entries are too old to be served, they answer with the previous value.
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
            let _publishes = (mode == PutMode::Overwrite).then(|| Publishes(self));
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

    /// Returns the entry to write for a value: a new version, which expires with the session or earlier.
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
        // The session's end can lie within the interval that holds the store's clock. Then the session counts as ended, as for a
        // read.
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

    /// Removes the entry under a key. Returns `Ok` as well if it is missing, or if the session was signed out: its entries are gone
    /// already. Sends one request.
    ///
    /// # Errors
    /// [`SignedOut`](ErrorKind::SignedOut) if the lifetime of the session is over, or the generation of the namespace was
    /// [raised](TokenCache::raise_generation); the errors of the store.
    pub async fn remove(&self, key: &EntryKey) -> Result<()> {
        let remove = async {
            let keys = self.fresh_keys().await?;
            let _publishes = Publishes(self);
            self.cache.store().remove(&self.address(&keys, key)).await
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Remove, about, in_call(remove), |()| "removed").await
    }

    /// Ends this session and no other, on every server, as [`TokenCache::sign_out`] of [`SignOutScope::Session`]. The user's sessions in
    /// other browsers continue.
    ///
    /// # Errors
    /// As [`TokenCache::sign_out`].
    pub async fn sign_out(&self) -> Result<SignOut> {
        self.cache
            .sign_out(SignOutScope::Session(self.clone()))
            .await
    }

    /// Returns a ticket of this session, which the app stores in its session cookie. [`TokenCache::resume`] opens it on any server. Each
    /// call returns a different text for the same session. Does no I/O.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the operating system returns no random bytes.
    pub fn ticket(&self) -> Result<Ticket> {
        Ticket::issue(&self.cache.0.ring, &self.payload)
    }

    /// Returns when the session ends by itself, on the store's clock. A sign-out can end it earlier, and does not change this time.
    pub fn ends_at(&self) -> Timestamp {
        self.payload.ends_at
    }

    /// Returns `true` if the session's account belongs to `issuer`. A session has only hashes of its account, so it cannot return the
    /// issuer itself. Does no I/O.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if the namespace has another secret by now.
    pub fn is_of_issuer(&self, issuer: &str) -> Result<bool> {
        let keys = self.cache.keys()?;
        Ok(keys.id_key.issuer(issuer) == *self.payload.account.issuer())
    }

    /// Returns the key of the session's `sid`, or `None` if it has no `sid` or has ended.
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

    /// Checks with the store that the session lives.
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

    /// Returns the keys as they were last read, however long ago.
    pub(crate) fn keys(&self) -> Result<Keys> {
        self.checked(self.cache.keys()?)
    }

    /// Returns the keys, if the session is of their generation and has not ended.
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

/// Publishes on drop, so that other servers drop their near-cache entries also if the write's caller was dropped before the
/// answer.
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

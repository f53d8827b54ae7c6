use std::{fmt, sync::Arc};

use super::{Keys, TokenCache};
use crate::store::backend::in_call;
use crate::{
    AccountKey, Entry, EntryAddress, EntryKey, EntryValue, Error, ErrorKind, PutMode, PutResult,
    ReadOptions, Result, SessionId, SidKey, Ticket, Timestamp, Version, WriteOptions,
    crypto::SessionKeys,
    crypto::ticket::TicketPayload,
    telemetry::{About, Operation, observe},
};

/// A session: one sign-in of one browser. The value is a handle, by which the app reads and writes the entries of the session. It is cheap
/// to clone.
///
/// [`TokenCache::sign_in`] begins a session and returns it. [`TokenCache::resume`] returns the session of a ticket.
///
/// Each read and write asks the store, which also checks that the session lives. After its end, they fail with
/// [`SignedOut`](ErrorKind::SignedOut). The only exception is a read that this server's
/// [near cache](crate::TokenCacheBuilder::near_cache) answers, without a request. By default, no sign-out returns while a near cache can
/// still serve the ended session (G1).
#[derive(Clone)]
pub struct Session {
    cache: TokenCache,
    payload: TicketPayload,
    id: SessionId,
    secret: Arc<SessionKeys>,
}

impl TokenCache {
    /// Returns the session of `ticket` if it lives, and an error if it has ended. Call it in each request that has a ticket in its cookie.
    /// Sends one request, or none on a near-cache hit.
    ///
    /// # Errors
    /// - [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended, on any server (G1).
    /// - [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the ticket was changed or truncated. Remove the cookie.
    /// - [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server's key ring lacks the key that the ticket was encrypted under. The
    ///   session may still live, so keep the ticket.
    /// - The errors of the store, including [`Corrupt`](crate::ErrorKind::Corrupt). The session may still live, so keep the ticket.
    pub async fn resume(&self, ticket: &Ticket) -> Result<Session> {
        let session = self.resume_unverified(ticket)?;
        session.check().await?;
        Ok(session)
    }

    /// Returns the session of `ticket` without asking the store whether the session lives. Sends no request.
    ///
    /// Use it instead of [`resume`](Self::resume) if a read or write of the session follows at once. That read or write returns
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has been signed out.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), without the errors of the store. [`SignedOut`](crate::ErrorKind::SignedOut) is returned only if the
    /// session's lifetime is over, or the generation of the namespace was [raised](Self::raise_generation).
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

    /// Returns the entry under `key`, or `None` if it is missing or expired. Sends one strongly consistent request, or none on a near-cache
    /// hit.
    ///
    /// With [`UnreadableEntries::Miss`](crate::UnreadableEntries::Miss), it also returns `None` for an entry that cannot be decrypted. By
    /// default, that is an error.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session has ended, on any server (G1).
    /// - [`KeyMissing`](ErrorKind::KeyMissing) if this server's key ring lacks the key that the entry was encrypted under.
    /// - [`Corrupt`](ErrorKind::Corrupt) if the stored bytes of the entry are invalid.
    /// - The errors of the store, which are never reported as `None` (G4).
    pub async fn get(&self, key: &EntryKey) -> Result<Option<Entry>> {
        let read = async {
            let keys = self.fresh_keys().await?;
            self.read_entry(&keys, key).await
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Read, about, in_call(read), |entry| match entry {
            Some(_) => "hit",
            None => "miss",
        })
        .await
    }

    /// Stores `value` under `key`: a [`TokenSet`](crate::TokenSet), or any bytes. It replaces the entry if one exists.
    ///
    /// A token set without a refresh token is stored until its access token expires, and at most until the session ends. Every other value,
    /// and a token set without an expiry, is stored until the session ends.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session has ended, however late the write arrives (G2).
    /// - [`TooLarge`](ErrorKind::TooLarge), before any request, if the value has more bytes than the store takes
    ///   ([`Capabilities::max_entry_bytes`](crate::Capabilities::max_entry_bytes)).
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

    /// Stores `value` under `key` if the precondition of `mode` holds, such as that no entry exists yet: see [`PutMode`]. Returns
    /// [`PutResult::PreconditionFailed`] if it does not hold. Nothing is stored then.
    ///
    /// Other servers with a near cache may still have the previous value. After an unconditional write ([`PutMode::Overwrite`]), an
    /// [invalidation message](crate::InvalidationMessage) tells them to drop it, if the store has a [`Backplane`](crate::Backplane). After
    /// a conditional write, or without a backplane, they can return the previous value until their near-cache entry reaches its maximum
    /// age.
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
            self.write_entry(&keys, key, &entry, options).await
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
        let limit = self.cache.path().max_value_bytes();
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

    /// Removes the entry under `key`. Sends one request.
    ///
    /// Returns `Ok` also if there is no such entry, and if the session was signed out: a sign-out removes all entries, so nothing is left
    /// to remove.
    ///
    /// # Errors
    /// - [`SignedOut`](ErrorKind::SignedOut) if the session's lifetime is over, or if [`TokenCache::raise_generation`] has ended every
    ///   session.
    /// - The errors of the store.
    pub async fn remove(&self, key: &EntryKey) -> Result<()> {
        let remove = async {
            let keys = self.fresh_keys().await?;
            self.cache.path().remove(&self.address(&keys, key)).await
        };
        let about = About::account(&self.payload.account);
        observe(Operation::Remove, about, in_call(remove), |()| "removed").await
    }

    /// Returns a ticket of this session, for the app to store in its session cookie. [`TokenCache::resume`] returns the session of the
    /// ticket, on any server. Does no I/O.
    ///
    /// Each call returns a different text for the same session.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the operating system returns no random bytes.
    pub fn ticket(&self) -> Result<Ticket> {
        Ticket::issue(&self.cache.0.ring, &self.payload)
    }

    /// Returns the time on the store's clock at which the session's lifetime ends. A sign-out can end the session earlier, and does not
    /// change the returned time.
    pub fn ends_at(&self) -> Timestamp {
        self.payload.ends_at
    }

    /// Returns `true` if `issuer` is the issuer of the session's account, and `false` if the account has another issuer. `issuer` is the
    /// claim `iss`, compared exactly. Does no I/O.
    ///
    /// Use it to find out at which of several providers the user signed in. A session has only the keyed hash of its issuer, so it cannot
    /// return the issuer itself.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn is_of_issuer(&self, issuer: &str) -> Result<bool> {
        let keys = self.cache.keys()?;
        Ok(keys.id_key.issuer(issuer) == *self.payload.account.issuer())
    }

    /// Returns the key of the session's `sid`, or `None` if it has no `sid` or has ended.
    pub(super) async fn sid_key(&self) -> Result<Option<SidKey>> {
        let options = ReadOptions::at(self.cache.fresh_keys().await?.latest);
        let path = self.cache.path();
        match path.session(&self.payload.account, &self.id, options).await {
            Ok(record) => Ok(record.sid),
            Err(error) if error.is_signed_out() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks with the store that the session lives.
    pub(super) async fn check(&self) -> Result<()> {
        let check = async {
            let options = ReadOptions::at(self.fresh_keys().await?.latest);
            let path = self.cache.path();
            let record = path.session(&self.payload.account, &self.id, options);
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
    }

    pub(crate) async fn read_entry(&self, keys: &Keys, key: &EntryKey) -> Result<Option<Entry>> {
        let (at, options) = (self.address(keys, key), ReadOptions::at(keys.latest));
        self.cache.path().read(&at, &self.secret, options).await
    }

    pub(crate) async fn write_entry(
        &self,
        keys: &Keys,
        key: &EntryKey,
        entry: &Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let at = self.address(keys, key);
        self.cache
            .path()
            .write(&at, &self.secret, entry, options)
            .await
    }

    /// Returns the keys that encrypt and decrypt the session's entries.
    pub(crate) fn secret(&self) -> &SessionKeys {
        &self.secret
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("ends_at", &self.payload.ends_at)
            .finish_non_exhaustive()
    }
}

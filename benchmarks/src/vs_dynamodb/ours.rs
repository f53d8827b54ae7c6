use std::time::Duration;

use token_cache::{
    Entry, PutMode, PutResult, Timestamp, Version,
    store::{
        AccountKey, AcquireOptions, Acquired, BeginSession, CutoffTime, EntryAddress, EntryName,
        EvictOptions, EvictTarget, IssuerKey, LockOwner, ReadOptions, SessionId, SessionRecord,
        SessionTimes, TicketSecret, TokenStore, WriteOptions,
    },
};
use tokio::task::JoinSet;

use crate::Result;

/// How many writes are under way at once while an account is loaded.
const WRITERS: usize = 16;

const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// The store itself, without the cache above it, whose look at the namespace would be counted as well.
#[derive(Debug, Clone)]
pub(super) struct Ours<S> {
    pub(super) store: S,
}

/// A signed-in account.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignedIn {
    account: AccountKey,
    session_id: SessionId,
}

impl SignedIn {
    fn entry(&self, number: usize) -> EntryAddress {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&number.to_be_bytes());
        EntryAddress::new(self.account, self.session_id, EntryName::from_bytes(name))
    }
}

impl<S: TokenStore + Clone> Ours<S> {
    async fn now(&self) -> Result<Timestamp> {
        Ok(self.store.namespace().await?.time)
    }

    pub(super) async fn sign_in(&self) -> Result<SignedIn> {
        let now = self.now().await?;
        let times = SessionTimes {
            requested_at: now,
            auth_time: now,
        };
        let issuer = IssuerKey::from_bytes([7; 16]);
        let (account, session_id) = (
            TicketSecret::mint()?.session_id(),
            TicketSecret::mint()?.session_id(),
        );
        let account = AccountKey::new(issuer, *account.as_bytes());
        let record = SessionRecord::new(session_id, None, times, now + LIFETIME);
        let begin = BeginSession::new(record, now + Duration::from_secs(900), now);
        self.store.begin(&account, begin).await?;
        Ok(SignedIn {
            account,
            session_id,
        })
    }

    /// Puts so many entries of the value.
    pub(super) async fn load(
        &self,
        signed_in: SignedIn,
        entries: usize,
        value: &[u8],
    ) -> Result<()> {
        let now = self.now().await?;
        let mut writes: JoinSet<Result<()>> = JoinSet::new();
        for number in 0..entries {
            if writes.len() == WRITERS
                && let Some(written) = writes.join_next().await
            {
                written??;
            }
            let (ours, value) = (self.clone(), value.to_vec());
            writes.spawn(async move {
                let at = signed_in.entry(number);
                ours.put(&at, value, WriteOptions::at(now)).await.map(drop)
            });
        }
        while let Some(written) = writes.join_next().await {
            written??;
        }
        Ok(())
    }

    async fn put(
        &self,
        at: &EntryAddress,
        value: Vec<u8>,
        options: WriteOptions,
    ) -> Result<Version> {
        let version = Version::mint()?;
        let entry = Entry::new(value, version, options.now + LIFETIME);
        match self.store.write(at, entry, options).await? {
            PutResult::Stored => Ok(version),
            PutResult::PreconditionFailed => Err("somebody else wrote".into()),
        }
    }

    pub(super) async fn read(&self, signed_in: SignedIn, now: Timestamp) -> Result<Version> {
        let read = self
            .store
            .read(&signed_in.entry(0), ReadOptions::at(now))
            .await?;
        Ok(read.ok_or("the entry is gone")?.version())
    }

    pub(super) async fn write(
        &self,
        signed_in: SignedIn,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<()> {
        let at = signed_in.entry(0);
        self.put(&at, value, WriteOptions::at(now)).await.map(drop)
    }

    /// Runs the store's part of a refresh without a concurrent one: read, acquire, re-read, write back.
    pub(super) async fn refresh(
        &self,
        signed_in: SignedIn,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<()> {
        let seen = self.read(signed_in, now).await?;
        let at = signed_in.entry(0);
        let owner = LockOwner::mint()?;
        let options = AcquireOptions::new(owner, Duration::from_secs(30), now).seen(seen);
        if self.store.acquire(&at, options).await? != Acquired::Held {
            return Err("somebody else refreshes".into());
        }
        let options = WriteOptions::at(now)
            .mode(PutMode::Update(seen))
            .releasing(owner);
        self.put(&at, value, options).await.map(drop)
    }

    pub(super) async fn sign_out(&self, signed_in: SignedIn, now: Timestamp) -> Result<()> {
        let target = EvictTarget::Account(CutoffTime::on_store_clock(now));
        let evicted = self
            .store
            .evict(&signed_in.account, target, EvictOptions::at(now))
            .await?;
        if evicted.ended {
            Ok(())
        } else {
            Err("no session was signed in".into())
        }
    }

    pub(super) async fn moment(&self) -> Result<Timestamp> {
        // The upper end of what the store's clock can say: the cut must not stand before the sign-in.
        Ok(self.now().await? + Duration::from_secs(2))
    }
}

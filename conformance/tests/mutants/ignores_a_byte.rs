use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, AcquireOptions, Acquired, BackgroundKey, BackgroundSession, BackgroundSessions,
    BeginSession, Begun, CutoffBound, Entry, EntryAddress, EntryName, EvictOptions, EvictTarget,
    Evicted, IssuerKey, LockOwner, NotBeforeOptions, PutResult, ReadOptions, RefreshLocks, Result,
    SessionId, SessionRecord, SidAccounts, SidEntry, SidIndex, SidKey, Timestamp, TokenStore,
    WriteOptions,
};

use crate::fault::Fault;

/// Leaves the byte `I` of a name out. `WHAT` says whose: an issuer `i`, a subject `u`, a session `s`, a `sid` `p`, an entry `e`,
/// a background session `x`, a lock owner `o`.
#[derive(Default)]
pub(crate) struct IgnoresAByte<const WHAT: char, const I: usize>;

impl<const WHAT: char, const I: usize> IgnoresAByte<WHAT, I> {
    fn bytes<const N: usize>(what: char, bytes: &[u8; N]) -> [u8; N] {
        let mut bytes = *bytes;
        if what == WHAT {
            bytes[I] = 0;
        }
        bytes
    }

    fn issuer(issuer: &IssuerKey) -> IssuerKey {
        IssuerKey::from_bytes(Self::bytes('i', issuer.as_bytes()))
    }

    fn account(account: &AccountKey) -> AccountKey {
        let subject = Self::bytes('u', account.subject());
        AccountKey::new(Self::issuer(account.issuer()), subject)
    }

    fn session_id(session_id: &SessionId) -> SessionId {
        SessionId::from_bytes(Self::bytes('s', session_id.as_bytes()))
    }

    fn sid(sid: &SidKey) -> SidKey {
        SidKey::from_bytes(Self::bytes('p', sid.as_bytes()))
    }

    fn at(at: &EntryAddress) -> EntryAddress {
        let name = EntryName::from_bytes(Self::bytes('e', at.name().as_bytes()));
        EntryAddress::new(
            Self::account(at.account()),
            Self::session_id(at.session_id()),
            name,
        )
    }

    fn background_key(name: &BackgroundKey) -> BackgroundKey {
        BackgroundKey::from_bytes(Self::bytes('x', name.as_bytes()))
    }

    fn owner(owner: &LockOwner) -> LockOwner {
        LockOwner::from_bytes(Self::bytes('o', owner.as_bytes()))
    }

    fn target(target: EvictTarget) -> EvictTarget {
        match target {
            EvictTarget::Session(session_id) => EvictTarget::Session(Self::session_id(&session_id)),
            EvictTarget::Account(moment) => EvictTarget::Account(moment),
            EvictTarget::Sid { sid, bound } => EvictTarget::Sid {
                sid: Self::sid(&sid),
                bound,
            },
            EvictTarget::SidOrWithoutSid {
                sid,
                without_sid_until,
            } => EvictTarget::SidOrWithoutSid {
                sid: Self::sid(&sid),
                without_sid_until,
            },
        }
    }
}

#[async_trait]
impl<const WHAT: char, const I: usize> Fault for IgnoresAByte<WHAT, I> {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        mut session: BeginSession,
    ) -> Result<Begun> {
        session.record.session_id = Self::session_id(&session.record.session_id);
        session.record.sid = session.record.sid.as_ref().map(Self::sid);
        for session_id in &mut session.supersedes {
            *session_id = Self::session_id(session_id);
        }
        healthy.begin(&Self::account(account), session).await
    }

    async fn session(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let (account, name) = (Self::account(account), Self::session_id(session_id));
        let mut record = healthy.session(&account, &name, options).await?;
        record.session_id = *session_id;
        Ok(record)
    }

    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy.read(&Self::at(at), options).await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        mut options: WriteOptions,
    ) -> Result<PutResult> {
        options.releasing = options.releasing.as_ref().map(Self::owner);
        healthy.write(&Self::at(at), entry, options).await
    }

    async fn remove(&self, healthy: &dyn TokenStore, at: &EntryAddress) -> Result<()> {
        healthy.remove(&Self::at(at)).await
    }

    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        healthy
            .evict(&Self::account(account), Self::target(target), options)
            .await
    }

    async fn sessions(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        healthy.sessions(&Self::account(account), options).await
    }

    async fn acquire(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        mut options: AcquireOptions,
    ) -> Result<Acquired> {
        options.owner = Self::owner(&options.owner);
        healthy.acquire(&Self::at(at), options).await
    }

    async fn release(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        owner: &LockOwner,
    ) -> Result<()> {
        healthy.release(&Self::at(at), &Self::owner(owner)).await
    }

    async fn keep(
        &self,
        healthy: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        mut background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        background_session.session_id = Self::session_id(&background_session.session_id);
        healthy
            .keep(
                &Self::account(account),
                &Self::background_key(name),
                background_session,
                options,
            )
            .await
    }

    async fn find(
        &self,
        healthy: &dyn BackgroundSessions,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        healthy
            .find(
                &Self::account(account),
                &Self::background_key(name),
                options,
            )
            .await
    }

    async fn add(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        mut sid_entry: SidEntry,
    ) -> Result<()> {
        sid_entry.account = Self::account(&sid_entry.account);
        healthy.add(&Self::sid(sid), sid_entry).await
    }

    async fn set_sid_not_before(
        &self,
        healthy: &dyn SidIndex,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        healthy
            .set_sid_not_before(&Self::sid(sid), bound, options)
            .await
    }

    async fn check_issuer(
        &self,
        healthy: &dyn SidIndex,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        healthy
            .check_issuer(&Self::issuer(issuer), requested_at, not_after)
            .await
    }

    async fn set_issuer_not_before(
        &self,
        healthy: &dyn SidIndex,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        healthy
            .set_issuer_not_before(&Self::issuer(issuer), at, options)
            .await
    }
}

//! Stores that compare or store only some of the bytes.

use crate::fault::fault;
use token_cache_core::{
    AccountKey, BackgroundKey, EntryAddress, EntryName, EvictTarget, IssuerKey, LockOwner, PutMode,
    ReadOptions, SessionId, SidKey, TokenStore, Version,
};

/// Compares the bytes of a version from `FROM` to `TO` alone.
#[derive(Default)]
pub(crate) struct ComparesAFewBytes<const FROM: usize, const TO: usize>;

impl<const FROM: usize, const TO: usize> ComparesAFewBytes<FROM, TO> {
    /// The version that is there, if it looks like the expected one.
    async fn there(
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        expected: Version,
        options: ReadOptions,
    ) -> Version {
        match healthy.read(at, options).await {
            Ok(Some(entry))
                if entry.version().as_bytes()[FROM..TO] == expected.as_bytes()[FROM..TO] =>
            {
                entry.version()
            }
            _ => expected,
        }
    }
}

fault! {
    impl[const FROM: usize, const TO: usize] ComparesAFewBytes<FROM, TO> {
        write(self, healthy, at, entry, mut options) {
            if let PutMode::Update(expected) = options.mode {
                let read = ReadOptions::at(options.now);
                options.mode = PutMode::Update(Self::there(healthy, at, expected, read).await);
            }
            healthy.write(at, entry, options).await
        }

        end_if_version(self, healthy, at, version, options) {
            let read = ReadOptions::at(options.now);
            let version = Self::there(healthy, at, version, read).await;
            healthy
                .end_if_version(at, version, options)
                .await
        }
    }
}

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

fault! {
    impl[const WHAT: char, const I: usize] IgnoresAByte<WHAT, I> {
        begin(self, healthy, account, mut session) {
            session.record.session_id = Self::session_id(&session.record.session_id);
            session.record.sid = session.record.sid.as_ref().map(Self::sid);
            for session_id in &mut session.supersedes {
                *session_id = Self::session_id(session_id);
            }
            healthy.begin(&Self::account(account), session).await
        }

        session(self, healthy, account, session_id, options) {
            let (account, name) = (Self::account(account), Self::session_id(session_id));
            let mut record = healthy.session(&account, &name, options).await?;
            record.session_id = *session_id;
            Ok(record)
        }

        read(self, healthy, at, options) {
            healthy.read(&Self::at(at), options).await
        }

        write(self, healthy, at, entry, mut options) {
            options.releasing = options.releasing.as_ref().map(Self::owner);
            healthy.write(&Self::at(at), entry, options).await
        }

        remove(self, healthy, at) {
            healthy.remove(&Self::at(at)).await
        }

        evict(self, healthy, account, target, options) {
            healthy
                .evict(&Self::account(account), Self::target(target), options)
                .await
        }

        sessions(self, healthy, account, options) {
            healthy.sessions(&Self::account(account), options).await
        }

        acquire(self, healthy, at, mut options) {
            options.owner = Self::owner(&options.owner);
            healthy.acquire(&Self::at(at), options).await
        }

        release(self, healthy, at, owner) {
            healthy.release(&Self::at(at), &Self::owner(owner)).await
        }

        keep(self, healthy, account, name, mut background_session, options) {
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

        find(self, healthy, account, name, options) {
            healthy
                .find(
                    &Self::account(account),
                    &Self::background_key(name),
                    options,
                )
                .await
        }

        add(self, healthy, sid, mut sid_entry) {
            sid_entry.account = Self::account(&sid_entry.account);
            healthy.add(&Self::sid(sid), sid_entry).await
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            healthy
                .set_sid_not_before(&Self::sid(sid), bound, options)
                .await
        }

        check_issuer(self, healthy, issuer, requested_at, not_after) {
            healthy
                .check_issuer(&Self::issuer(issuer), requested_at, not_after)
                .await
        }

        set_issuer_not_before(self, healthy, issuer, at, options) {
            healthy
                .set_issuer_not_before(&Self::issuer(issuer), at, options)
                .await
        }
    }
}

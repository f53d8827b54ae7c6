//! For authors of a store: the trait [`TokenStore`], its optional parts, and all types that their methods take and return.
//!
//! The crate `token-cache-conformance` tests a store. An app needs this module only to open a store itself, with
//! [`open_store`](crate::open_store).

#[cfg(feature = "test-util")]
#[doc(inline)]
pub use token_cache_core::test_util;
#[doc(inline)]
pub use token_cache_core::{
    AccountKey, Acknowledgement, AcquireOptions, Acquired, BackgroundKey, BackgroundSession,
    BackgroundSessions, Backplane, BackplaneConnection, BeginSession, Begun, Capabilities,
    CutoffBound, CutoffClock, CutoffTime, EntryAddress, EntryName, EntryValue, EvictOptions,
    EvictTarget, Evicted, Invalidation, InvalidationId, InvalidationListener, InvalidationMessage,
    IssuerKey, LeaseHolder, LockOwner, NOT_BEFORE_LIFETIME, Namespace, NamespaceRecord,
    NotBeforeOptions, NotBeforeScope, Published, REMEMBERED_CREATIONS, ReadOptions, RefreshLocks,
    RegistryId, ServerId, SessionId, SessionKind, SessionRecord, SessionTimes, SidAccounts,
    SidEntry, SidIndex, SidKey, StoreClock, SystemClock, TicketSecret, TimeSource, TokenStore,
    WriteOptions, backend, delegate_store,
    near_cache::{
        BootInstant, BootTime, FleetConfig, FleetConfigWatch, FleetMember, NearCache,
        NearCacheSettings, SystemBootTime, Validity,
    },
    protocol,
};
#[cfg(feature = "near-cache")]
#[doc(inline)]
pub use token_cache_near_cache::{AckWait, ConnectionNumber, InvalidationCounter, NearCacheLease};

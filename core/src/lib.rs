#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod crypto;
pub mod near_cache;
pub mod protocol;
mod refresh;
mod store;
pub mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
mod types;
#[doc(hidden)]
pub mod util;

pub use self::store::backend;

/// The types of the crate `secrecy` that hold tokens and keys in memory. [`ExposeSecret::expose_secret`] returns the value inside. `Debug`
/// does not print it, and dropping it wipes it from memory.
pub use secrecy::{ExposeSecret, SecretSlice, SecretString};

pub use self::{
    cache::{
        BulkCheckpoint, BulkProgress, BulkSignOut, Session, SignIn, SignOutScope, TokenCache,
        TokenCacheBuilder,
    },
    crypto::secret::Secret,
    crypto::started_sign_in::StartedSignIn,
    crypto::ticket::Ticket,
    crypto::{EncryptionStats, KeyProvider, KeyRing, KeyUse, RingKey, UnreadableEntries},
    refresh::{
        AfterLostAnswer, RefreshOptions, RefreshPolicy, RefreshRequest, Revocation, Revoking,
        TokenSource,
    },
    store::background_sessions::{BackgroundKey, BackgroundSession, BackgroundSessions},
    store::backplane::{
        Acknowledgement, Backplane, BackplaneConnection, Invalidation, InvalidationId,
        InvalidationListener, InvalidationMessage, LeaseHolder, Published, RegistryId,
    },
    store::memory::MemoryStore,
    store::options::{
        BeginSession, Begun, Capabilities, EvictOptions, Evicted, NOT_BEFORE_LIFETIME, PutMode,
        PutResult, REMEMBERED_CREATIONS, ReadOptions, WriteOptions,
    },
    store::refresh_locks::{AcquireOptions, Acquired, LockOwner, RefreshLocks},
    store::sid_index::{
        AccountCursor, AccountListOptions, AccountPage, NotBeforeOptions, NotBeforeScope,
        SidAccounts, SidEntry, SidIndex,
    },
    store::store_clock::StoreClock,
    store::time_source::{SystemClock, TimeSource},
    store::token_store::TokenStore,
    types::account::{AccountId, AccountKey, IssuerKey, ProviderSid, SidKey},
    types::diagnostic::{Diagnostic, Severity},
    types::entry::{Entry, EntryAddress, EntryKey, EntryName, Version},
    types::entry_value::EntryValue,
    types::error::{Error, Result},
    types::error_kind::ErrorKind,
    types::error_response::ErrorResponse,
    types::evict_target::{CutoffBound, CutoffClock, CutoffTime, EvictTarget, SessionTimes},
    types::namespace::{Namespace, NamespaceRecord},
    types::on_behalf_of::OnBehalfOf,
    types::refresh_error::{RefreshError, RefreshErrorKind},
    types::server_id::ServerId,
    types::session_record::SessionKind,
    types::session_record::SessionRecord,
    types::sign_out::{LogoutMessage, SidMeaning, SignOut, SignOutScopeKind},
    types::ticket_secret::{SessionId, TicketSecret},
    types::timestamp::Timestamp,
    types::token_set::TokenSet,
    types::wait::{NearCacheOutcome, Wait},
};

#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod auth_time;
pub mod backend;
mod background_sessions;
mod backplane;
mod cache;
mod claims;
mod diagnostic;
mod entropy;
mod entry;
mod entry_value;
mod error;
mod evict_target;
mod hash_name;
mod id_key;
mod memory;
mod namespace;
pub mod near_cache;
mod on_behalf_of;
mod options;
pub mod protocol;
mod refresh;
mod refresh_locks;
mod seal;
mod sealed_text;
mod secret;
mod session_kind;
mod session_record;
mod sid_index;
mod sign_in;
mod sign_out;
mod store;
mod store_clock;
pub mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
mod ticket;
mod ticket_secret;
mod time_source;
mod timestamp;
mod token_response;
mod token_set;
mod wait;
mod wiped;

/// The types of the crate `secrecy` that hold tokens and keys in memory. [`ExposeSecret::expose_secret`] returns the value inside. `Debug`
/// does not print it, and dropping it wipes it from memory.
pub use secrecy::{ExposeSecret, SecretSlice, SecretString};

pub use self::{
    account::{AccountId, AccountKey, IssuerKey, ProviderSid, SidKey},
    background_sessions::{BackgroundKey, BackgroundSession, BackgroundSessions},
    backplane::{
        Acknowledgement, Backplane, BackplaneConnection, Invalidation, InvalidationId,
        InvalidationListener, InvalidationMessage, LeaseHolder, Published, RegistryId, ServerId,
    },
    cache::{BulkCheckpoint, BulkProgress, BulkSignOut, Session, TokenCache, TokenCacheBuilder},
    diagnostic::{Diagnostic, Severity},
    entry::{Entry, EntryAddress, EntryKey, EntryName, Version},
    entry_value::EntryValue,
    error::{Error, ErrorKind, Result},
    evict_target::{CutoffBound, CutoffClock, CutoffTime, EvictTarget, SessionTimes},
    memory::MemoryStore,
    namespace::{Namespace, NamespaceRecord},
    on_behalf_of::OnBehalfOf,
    options::{
        BeginSession, Begun, Capabilities, EvictOptions, Evicted, NOT_BEFORE_LIFETIME, PutMode,
        PutResult, REMEMBERED_CREATIONS, ReadOptions, WriteOptions,
    },
    refresh::{
        AfterLostAnswer, ErrorResponse, RefreshError, RefreshErrorKind, RefreshOptions,
        RefreshPolicy, RefreshRequest, Revocation, Revoking, TokenSource,
    },
    refresh_locks::{AcquireOptions, Acquired, LockOwner, RefreshLocks},
    seal::{
        EncryptionStats, KeyProvider, KeyRing, KeyUse, RingKey, SealedStore, Sealer,
        UnreadableEntries,
    },
    secret::Secret,
    session_kind::SessionKind,
    session_record::SessionRecord,
    sid_index::{
        AccountCursor, AccountListOptions, AccountPage, NotBeforeOptions, NotBeforeScope,
        SidAccounts, SidEntry, SidIndex,
    },
    sign_in::{SignIn, StartedSignIn},
    sign_out::{LogoutMessage, SidMeaning, SignOut, SignOutScope},
    store::TokenStore,
    store_clock::StoreClock,
    ticket::Ticket,
    ticket_secret::{SessionId, TicketSecret},
    time_source::{SystemClock, TimeSource},
    timestamp::Timestamp,
    token_set::TokenSet,
    wait::{NearCacheOutcome, Wait},
};

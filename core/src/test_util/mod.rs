//! Tools for an app's own tests: clocks that a test moves, a store that fails when a test tells it to, and odd token responses.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
//! use std::time::Duration;
//! use token_cache::{AccountId, ErrorKind, MemoryStore, Secret, SignIn, TokenCache};
//! use token_cache::store::test_util::{FailingStore, ManualClock};
//!
//! let clock = ManualClock::new();
//! let store = FailingStore::new(MemoryStore::with_clock(clock.clone()));
//! let cache = TokenCache::open(store.clone(), Secret::random()?).await?;
//! let started = cache.start_sign_in()?;
//! let ada = AccountId::new("https://id.example", "248289761001")?;
//! let session = cache.sign_in(SignIn::new(ada, &started)).await?;
//!
//! store.fail_with(ErrorKind::Unavailable);
//! assert!(session.sign_out().await.unwrap_err().is_retryable()); // never Ok
//! store.work();
//! clock.advance(Duration::from_secs(9 * 3600));
//! assert!(cache.resume(&session.ticket()?).await.unwrap_err().is_signed_out());
//! # Ok(()) }
//! ```

mod address;
mod entry_sealer;
mod failing_backplane;
mod failing_parts;
mod failing_store;
mod layered_store;
mod manual_boot_time;
mod manual_clock;
mod odd_responses;
mod offline_attacker;
mod runtime_boot_time;

pub use self::{
    address::address_of,
    entry_sealer::EntrySealer,
    failing_store::FailingStore,
    layered_store::LayeredStore,
    manual_boot_time::ManualBootTime,
    manual_clock::ManualClock,
    odd_responses::{ODD_TOKEN_RESPONSES, OddTokenResponse},
    offline_attacker::OfflineAttacker,
    runtime_boot_time::RuntimeBootTime,
};

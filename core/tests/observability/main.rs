//! What a cache tells of itself is what `docs/observability.md` lists: no more, no less, and no id.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(all(feature = "test-util", feature = "metrics", feature = "tracing"))]

mod events;
mod near_cache;
mod page;
#[path = "../refresh/provider.rs"]
#[allow(dead_code, reason = "the refresh tests need all of it")]
mod provider;
mod recorded;
mod spans;
mod story;

/// Without this, an event that another thread logs first, with no subscriber, is switched off for the whole process.
fn listen_on_every_thread() {
    // The second test of this process finds it done.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
}

//! A cache reports exactly what `docs/observability.md` lists, and no id.

#![cfg(all(feature = "test-util", feature = "metrics", feature = "tracing"))]

mod events;
mod near_cache;
mod page;
mod recorded;
mod spans;
mod story;

/// Sets a global subscriber. Without one, an event that a thread without a subscriber logs first is disabled for the whole process.
fn listen_on_every_thread() {
    // Fails in the second test of a process, where the subscriber is set already.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
}

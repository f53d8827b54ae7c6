//! The backplane between servers with near caches, on real servers and with faults: on its own, and with caches.

mod caches;
mod common;
mod connection;
mod failover;
mod fleet;
mod permissions;
mod registry;
mod relay;
mod slot_move;
mod split_brain;
mod stream;

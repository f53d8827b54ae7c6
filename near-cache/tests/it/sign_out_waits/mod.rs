//! A sign-out returns when no server can serve a near-cache entry of the ended sessions. The tests check which servers it waits for, and
//! how long.

mod ages;
mod cache;
mod fleet;
mod history;
mod origin;
mod own_near_cache;
mod peer;
mod servers;
mod unknown_sid;
mod who_has_near_caches;
mod without_the_crate;

//! Near caches on real servers. App servers run as processes of their own. Backplane connections are closed or fall silent, stores are
//! killed and fail over, and processes are paused, while users sign out. Every operation is recorded, and the whole history is checked.

mod common;
mod existing_client;

mod aged;
mod mixed;
mod origins;
mod paused;
mod silent;
mod start;
mod stores;

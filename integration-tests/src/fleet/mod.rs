//! App servers as processes of their own, each with its own handle to the shared cache, and a driver that gives them operations and records
//! what they did.
//!
//! The driver and an app server exchange JSON lines over the app server's stdin and stdout. An app server ends with its stdin. Driven one
//! operation at a time ([`Server::begin`]), it answers with the start and end of each, on the clock that all processes share. Under a load
//! of its own it writes its part of the history to a file.

mod app;
mod design;
mod driver;
mod figures;
mod load;
mod main;
mod near_cache_outcome;
mod random;
mod refresh;
mod server;
mod user;
mod wire;

pub(crate) use self::{
    app::BROKEN_LEASE,
    figures::Figures,
    wire::{Load, Users},
};
pub use self::{
    design::Design,
    driver::{Fleet, Running},
    main::main,
    near_cache_outcome::NearCacheOutcome,
    random::Random,
    refresh::{Got, RefreshSettings, Refreshed, Refreshing, Storm},
    server::{Pending, Program, Server, Settings, StartError},
    user::{Ticketed, User, ticketed},
    wire::{Answer, Task},
};

#![doc = include_str!("../README.md")]

mod args;
mod browser;
mod caches;
mod failure;
mod fleet;
mod instrumented_store;
mod message;
mod near_cache;
mod oidc;
mod plain_cache;
mod play;
mod report;
mod run;
mod scripted_user;
mod server;
mod steps;
mod store_url;
mod story;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod verdict;
mod web;

pub use self::{
    caches::{CacheKind, ServerCaches},
    failure::{Exit, Failure},
    fleet::Fleet,
    play::tell,
    report::{JsonLines, Report, Timeline},
    run::run,
    story::{Chapter, STEPS, ServerName, Step},
    verdict::{Conclusion, Deed, Outcome, Told, Verdict, WaitedFor},
    web::{ServeOptions, Web},
};

#![doc = include_str!("../README.md")]

mod app;
mod app_cache;
mod args;
mod browser;
mod exit;
mod failure;
mod fleet;
mod instrumented_store;
mod message;
mod near_cache;
mod oidc;
mod report;
mod run;
mod scripted_user;
mod server;
mod server_caches;
mod store_url;
mod story;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod verdict;
mod web;

pub use self::{
    exit::Exit,
    failure::Failure,
    fleet::Fleet,
    report::{JsonLines, Report, Timeline},
    run::{run, tell},
    server_caches::{CacheKind, ServerCaches},
    story::{Chapter, STEPS, ServerName, Step},
    verdict::{Conclusion, Deed, Outcome, Told, Verdict, WaitedFor},
    web::{ServeOptions, Web},
};

#![doc = include_str!("../README.md")]

mod app;
mod app_cache;
mod args;
mod browser;
mod columns;
mod copies;
mod development_provider;
mod exit;
mod failure;
mod fleet;
mod message;
mod oidc;
mod player;
mod report;
mod run;
mod server;
mod store_url;
mod story;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod verdict;
mod watched_store;
mod web;

pub use self::{
    columns::{Column, Columns},
    development_provider::{Counts, DevelopmentProvider, Event, RegisteredClient, Settings},
    exit::Exit,
    failure::Failure,
    fleet::Fleet,
    report::{JsonLines, Report, Timeline},
    run::{run, tell},
    story::{Chapter, STEPS, ServerName, Step},
    verdict::{Conclusion, Deed, Outcome, Told, Verdict, WaitedFor},
    web::{ServeOptions, Web},
};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod algorithm;
mod answer;
mod bounds;
mod builder;
mod client;
mod config_error;
mod ends;
mod evictions;
mod id_token;
mod routes;
mod signed_out;

pub use self::{
    algorithm::Algorithm,
    bounds::Bounds,
    builder::SignOutRoutesBuilder,
    client::Client,
    config_error::ConfigError,
    ends::Ends,
    id_token::id_token_key,
    routes::SignOutRoutes,
    signed_out::{Cause, EndedScope, SignedOut},
};

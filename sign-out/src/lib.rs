#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
pub mod actix;
mod admission;
mod algorithm;
mod answer;
#[cfg(feature = "axum")]
mod axum;
mod back_channel;
mod bounds;
mod builder;
mod client;
mod config_error;
mod cookie_filter;
mod cookies;
mod deferred_revocation;
mod end_session;
mod ending;
mod ends;
mod evictions;
mod failure;
mod frame_ancestors;
mod front_channel;
mod front_channel_names;
mod held;
mod id_token;
mod id_token_hint;
mod json;
mod keys;
mod keys_missing;
mod layer;
mod leaving;
mod message;
mod page;
pub mod paths;
mod pending_verification;
mod query;
mod report;
mod routes;
mod rp_initiated;
mod same_site;
mod shared_signals;
mod signed_in;
mod signed_out;
mod state_cookies;
mod ticket_cookie;
mod ticket_slot;
mod tickets;
mod verify;

pub use self::{
    algorithm::Algorithm,
    bounds::Bounds,
    builder::SignOutRoutesBuilder,
    client::Client,
    config_error::ConfigError,
    cookie_filter::{CookieFilter, CookieFilterService},
    cookies::read_cookie,
    ends::Ends,
    front_channel_names::FrontChannelNames,
    id_token::id_token_key,
    keys_missing::KeysMissing,
    layer::{RefuseSignedOut, RefuseSignedOutService},
    routes::SignOutRoutes,
    signed_in::{NotSignedIn, SignedIn},
    signed_out::{Cause, EndedScope, SignedOut},
    state_cookies::StateCookies,
    ticket_cookie::TicketCookie,
    ticket_slot::{TicketSlot, TicketSlots},
    tickets::Tickets,
};

/// The how-to's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-out/providers.md")]
struct HowTo;

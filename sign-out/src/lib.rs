#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix-web-4")]
pub mod actix;
mod algorithm;
#[cfg(feature = "axum-0_8")]
mod axum;
mod back_channel;
mod builder;
mod client_registration;
mod config_error;
mod cookie_filter;
mod cookies;
mod csrf;
mod deferred_revocation;
mod end_session;
mod frame_ancestors;
mod front_channel;
mod front_channel_parameters;
mod id_token;
mod json;
mod key_fetch_error;
mod keys;
mod logout_subject;
mod logout_target;
mod message;
mod message_error;
mod page;
pub mod paths;
mod pending_verification;
mod query;
mod report;
mod request_session;
mod response;
mod routes;
mod rp_initiated;
mod running_sign_outs;
mod scope_kind;
mod session_check;
mod session_check_layer;
mod session_id_token;
mod shared_signals;
mod sign_out_event;
mod signed_in;
mod state_cookies;
mod ticket_cookie;
mod ticket_extension;
mod ticket_source;
mod timeouts;
mod verify;

pub use self::{
    algorithm::Algorithm,
    builder::{KeyFetch, SignOutRoutesBuilder},
    client_registration::{ClaimRequirement, ClientRegistration, IdTokenHint},
    config_error::ConfigError,
    cookie_filter::{CookieFilter, CookieFilterService},
    cookies::read_cookie,
    front_channel_parameters::FrontChannelParameters,
    id_token::id_token_key,
    key_fetch_error::KeyFetchError,
    routes::SignOutRoutes,
    scope_kind::SignOutScopeKind,
    session_check_layer::{SessionCheck, SessionCheckService},
    sign_out_event::{SignOutCause, SignOutEvent},
    signed_in::{SignedIn, SignedInRejection},
    state_cookies::StateCookies,
    ticket_cookie::TicketCookie,
    ticket_extension::{ExtensionTicketSource, TicketExtension},
    ticket_source::TicketSource,
    timeouts::Timeouts,
};

/// Compiles the code of the how-to.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-out/providers.md")]
struct HowTo;

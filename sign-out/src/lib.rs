#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix-web-4")]
pub mod actix;
#[cfg(feature = "axum-0_8")]
mod axum;
mod client;
mod config;
mod csrf;
mod http;
mod jwt;
mod keys;
pub mod paths;
mod routes;
mod session_check;
mod tickets;
mod timeouts;

pub use self::{
    client::{ClaimRequirement, ClientRegistration, FrontChannelParameters, IdTokenHint},
    config::ConfigError,
    jwt::Algorithm,
    keys::{KeyFetch, KeyFetchError},
    routes::{SignOutCause, SignOutEvent, SignOutRoutes, SignOutRoutesBuilder, id_token_key},
    session_check::{SessionCheck, SessionCheckService, SignedIn, SignedInRejection},
    tickets::{
        CookieFilter, CookieFilterService, ExtensionTicketSource, StateCookies, TicketCookie,
        TicketExtension, TicketSource, read_cookie,
    },
    timeouts::Timeouts,
};

/// Compiles the code of the how-to.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-out/providers.md")]
struct HowTo;

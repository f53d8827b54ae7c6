//! A provider's tokens: their parts, their claims, and which sessions they end.

mod algorithm;
mod claims;
mod json;
mod quoted;
mod security_event;
mod signed_token;
mod subject;
mod validation_error;
mod verified_token;

pub use self::algorithm::Algorithm;
pub(crate) use self::{
    algorithm::AlgorithmName,
    claims::{Claims, log_unreadable},
    json::strip_bom,
    quoted::Quoted,
    security_event::security_event_subjects,
    signed_token::SignedToken,
    validation_error::ValidationError,
    verified_token::{LogoutSubject, TokenKind, VerifiedToken, logout_token_subject},
};

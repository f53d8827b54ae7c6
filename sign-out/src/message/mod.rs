//! A provider's messages: from the bytes of a request to the sessions that they end.

mod body;
mod claims;
mod form;
mod logout_token;
mod media_type;
mod quoted;
mod security_event;
mod signed_token;
mod subject;
mod validation_error;

pub(crate) use self::{
    body::read,
    claims::{Claims, log_unreadable},
    form::logout_token,
    logout_token::logout_token_subject,
    media_type::is_media_type,
    quoted::Quoted,
    security_event::security_event_subjects,
    signed_token::SignedToken,
    validation_error::ValidationError,
};

//! What a provider sends, from the bytes of a request to a sign-out that the cache understands.

mod body;
mod claims;
mod form;
mod json;
mod logout_token;
mod media_type;
mod refusal;
mod security_event;
mod subject;
mod token;

pub(crate) use self::{
    body::read, claims::Claims, form::logout_token_of, json::Object,
    logout_token::ended_by_logout_token, media_type::is_media_type, refusal::Refusal,
    security_event::ended_by_security_event, token::SignedToken,
};

//! What a provider sends, from the bytes of a request to a sign-out that the cache understands.

mod body;
mod claims;
mod form;
mod logout_token;
mod media_type;
mod quoted;
mod refusal;
mod security_event;
mod subject;
mod token;

pub(crate) use self::{
    body::read,
    claims::{Claims, readable},
    form::logout_token_of,
    logout_token::ended_by_logout_token,
    media_type::is_media_type,
    quoted::Quoted,
    refusal::Refusal,
    security_event::ended_by_security_event,
    token::SignedToken,
};

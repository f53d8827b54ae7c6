//! What a provider sends, from the bytes of a request to a sign-out that the cache understands.

mod body;
mod claims;
mod form;
mod json;
mod logout_token;
mod media_type;
mod refusal;
mod token;

pub(crate) use self::{
    body::read, claims::Claims, form::logout_token_of, json::Object, logout_token::LogoutToken,
    media_type::is_media_type, refusal::Refusal, token::SignedToken,
};

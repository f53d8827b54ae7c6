//! Reads requests, builds responses, and sends requests to providers.

mod body;
mod client;
mod form;
mod media_type;
mod page;
mod query;
mod response;

pub(crate) use self::{
    body::read,
    client::{FetchError, HttpClient, TIMEOUT},
    form::logout_token,
    media_type::is_media_type,
    page::{Page, html},
    query::parameter,
    response::no_store_response,
};

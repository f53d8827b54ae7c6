//! Reads requests, builds responses, and sends requests to providers.

mod client;
mod page;
mod request;
mod response;

pub(crate) use self::{
    client::{FetchError, HttpClient, TIMEOUT},
    page::{Page, html},
    request::{is_media_type, parameter, read},
    response::{method_not_allowed, no_store_response, plain_text_response, redirect, set_cookie},
};

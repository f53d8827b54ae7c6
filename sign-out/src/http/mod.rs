//! Reads requests, builds responses, and sends requests to providers.

mod client;
mod page;
mod request;
mod response;

pub(crate) use self::{
    client::{FetchError, TIMEOUT, fetch, http_client},
    page::{Page, html},
    request::{RequestError, form_parameter, query_parameter, read_post},
    response::{
        method_not_allowed, no_store_response, plain_text_response, redirect, retry_soon,
        set_cookie,
    },
};

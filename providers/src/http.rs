use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use token_cache_core::RefreshError;
use token_cache_http_client::{HttpClient, RequestError, read_body};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::{client_auth::Credentials, retry_after::retry_after};

/// The largest response. Token responses with many groups have tens of kilobytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

/// A response of the provider with its whole body.
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Posts a form once, with the credentials of the app.
pub(crate) async fn post(
    client: &HttpClient,
    url: &Url,
    credentials: &Credentials,
    form: &[(&str, &str)],
) -> Result<HttpResponse, RefreshError> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .extend_pairs(credentials.parameters())
        .finish();
    let mut request = client
        .request(Method::POST, url.clone())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body);
    if let Some(value) = credentials.header() {
        let mut value = header::HeaderValue::from_str(&value).map_err(|_| {
            RefreshError::refused(
                "the client id or the client secret contains characters that a header cannot hold",
            )
        })?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let response = request.send().await.map_err(|error| failed(error.into()))?;
    Ok(HttpResponse {
        status: response.status(),
        retry_after: retry_after(response.headers(), std::time::SystemTime::now()),
        body: read_body(response, MAX_RESPONSE_BYTES)
            .await
            .map_err(failed)?,
    })
}

fn failed(error: RequestError) -> RefreshError {
    let (message, is_unsent) = (error.to_string(), error.is_unsent());
    let failure = match error {
        RequestError::TooLarge(_) => RefreshError::malformed(message),
        RequestError::NoConnection(cause)
        | RequestError::Late(cause)
        | RequestError::Interrupted(cause) => RefreshError::transient(message).with_source(cause),
    };
    if is_unsent {
        failure
    } else {
        failure.answer_lost()
    }
}

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use crate::servers::ServerError;

/// A page or a redirect.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Bytes,
    cookies: Vec<(String, String)>,
}

/// Sends a GET without cookies.
pub(super) async fn get(url: &str, bearer: Option<&str>) -> Result<Page, ServerError> {
    let authorization = bearer.map(|token| format!("Bearer {token}"));
    request(Method::GET, url, authorization, None, &[]).await
}

/// Sends a form, authenticated with HTTP Basic.
pub(super) async fn post(
    url: &str,
    authorization: String,
    form: &[(&str, &str)],
) -> Result<Page, ServerError> {
    request(Method::POST, url, Some(authorization), None, form).await
}

/// Parses a page as JSON.
pub(super) fn read<T: DeserializeOwned>(page: &Page) -> Result<T, ServerError> {
    if page.status != 200 {
        return Err(page.unexpected("an answer"));
    }
    serde_json::from_slice(&page.body).map_err(ServerError::during("the provider's answer"))
}

/// A browser for one site. It stores cookies by name alone, and follows redirects.
pub(super) struct Browser {
    cookies: BTreeMap<String, String>,
    at: Url,
}

impl Browser {
    pub(super) fn at(url: Url) -> Self {
        Self {
            cookies: BTreeMap::new(),
            at: url,
        }
    }

    /// Opens the current URL and follows redirects. Returns the final page, or the URL of another site.
    pub(super) async fn open(&mut self) -> Result<Result<Page, Url>, ServerError> {
        self.go(Method::GET, &[]).await
    }

    /// Submits the page's form to the page's own address.
    pub(super) async fn submit(
        &mut self,
        form: &[(&str, &str)],
    ) -> Result<Result<Page, Url>, ServerError> {
        self.go(Method::POST, form).await
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut form: &[(&str, &str)],
    ) -> Result<Result<Page, Url>, ServerError> {
        const MOST: usize = 10;
        for _ in 0..MOST {
            let jar = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let jar = jar.collect::<Vec<_>>().join("; ");
            let page = request(method, self.at.as_str(), None, Some(jar), form).await?;
            for (name, value) in &page.cookies {
                // An empty cookie is a removed one.
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.clone(), value.clone());
                }
            }
            let Some(location) = &page.location else {
                return Ok(Ok(page));
            };
            let next = self
                .at
                .join(location)
                .map_err(ServerError::during("a redirect"))?;
            if next.origin() != self.at.origin() {
                return Ok(Err(next));
            }
            self.at = next;
            (method, form) = (Method::GET, &[]);
        }
        Err(ServerError::new(format!("more than {MOST} redirects")))
    }
}

impl Page {
    /// Returns an error that describes this page and the expected one.
    pub(super) fn unexpected(&self, expected: &str) -> ServerError {
        let body = String::from_utf8_lossy(&self.body);
        ServerError::new(format!(
            "not {expected} but {}: {}",
            self.status,
            body.chars().take(500).collect::<String>()
        ))
    }
}

async fn request(
    method: Method,
    url: &str,
    authorization: Option<String>,
    cookies: Option<String>,
    form: &[(&str, &str)],
) -> Result<Page, ServerError> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut request = Request::builder().method(method).uri(url);
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    for (name, value) in [(AUTHORIZATION, authorization), (COOKIE, cookies)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(ServerError::during("a request to the provider"))?;
    let answer = client
        .request(request)
        .await
        .map_err(ServerError::during("the provider does not answer"))?;
    let (parts, body) = answer.into_parts();
    let body = body
        .collect()
        .await
        .map_err(ServerError::during("the provider's answer"))?;
    let location = parts.headers.get(LOCATION);
    Ok(Page {
        status: parts.status.as_u16(),
        location: location.and_then(|it| it.to_str().ok()).map(str::to_owned),
        cookies: set_cookies(&parts.headers),
        body: body.to_bytes(),
    })
}

/// Returns the names and values of the cookies that an answer sets.
fn set_cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let all = headers.get_all(SET_COOKIE).iter();
    all.filter_map(|header| header.to_str().ok()?.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

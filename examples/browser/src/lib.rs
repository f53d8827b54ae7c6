//! The check that every example app must pass: two browsers of one user, two servers of one app.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::form_urlencoded;

/// The error of an example.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Signs a user in on a phone and on a laptop, and signs the user out on the phone at one server. The other server must
/// reject the laptop. `here` and `there` are `http://…` without a path.
///
/// # Errors
/// An error that says how the app behaves differently.
pub async fn a_sign_out_is_final_everywhere(here: &str, there: &str) -> Result<(), Failure> {
    let account = |server: &str| format!("{server}/account");
    let (mut phone, mut laptop) = (Browser::new(), Browser::new());

    let before = phone.get(&account(here)).await?;
    ensure(before.status() == 401, "an anonymous user sees an account")?;

    for browser in [&mut phone, &mut laptop] {
        let form = browser.get(&format!("{here}/login")).await?;
        ensure(form.status() == 200, "there is no sign-in page")?;
        let done = browser
            .submit(&format!("{here}/login"), &[("name", "Ada")])
            .await?;
        ensure(done.status() == 303, "the sign-in failed")?;
        for server in [here, there] {
            let page = browser.get(&account(server)).await?;
            ensure(
                page.status() == 200,
                "the user is not signed in on every server",
            )?;
            ensure(
                page.body().windows(3).any(|part| part == b"Ada"),
                "the wrong user is signed in",
            )?;
            ensure(
                page.headers()
                    .get(header::CACHE_CONTROL)
                    .is_some_and(|value| value == "no-store"),
                "a cache may keep a user's page",
            )?;
        }
    }

    let stolen = phone.cookies.clone();
    let leaving = phone.submit(&format!("{there}/logout"), &[]).await?;
    ensure(leaving.status() == 303, "the sign-out failed")?;

    for server in [here, there] {
        let page = laptop.copy().get(&account(server)).await?;
        ensure(
            page.status() == 401,
            "the user's other browser is still signed in",
        )?;
    }
    phone.cookies = stolen;
    let page = phone.get(&account(here)).await?;
    ensure(
        page.status() == 401,
        "cookies from before the sign-out still open the account",
    )
}

/// A browser that follows no redirects.
struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
        }
    }

    fn copy(&self) -> Self {
        Self {
            client: self.client.clone(),
            cookies: self.cookies.clone(),
        }
    }

    async fn get(&mut self, url: &str) -> Result<Response<Bytes>, Failure> {
        self.send(Method::GET, url, String::new()).await
    }

    /// Submits a form of the app's own page, with `Sec-Fetch-Site`.
    async fn submit(
        &mut self,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<Response<Bytes>, Failure> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form = form.extend_pairs(fields).finish();
        self.send(Method::POST, url, form).await
    }

    async fn send(
        &mut self,
        method: Method,
        url: &str,
        form: String,
    ) -> Result<Response<Bytes>, Failure> {
        // Any page of the same domain can set a cookie that is not ASCII.
        let mut cookies = b"city=Z\xfcrich".to_vec();
        for (name, value) in &self.cookies {
            cookies.extend_from_slice(format!("; {name}={value}").as_bytes());
        }
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(header::COOKIE, HeaderValue::from_bytes(&cookies)?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Full::from(form))?;
        let (answer, body) = self.client.request(request).await?.into_parts();
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str()?.split_once(';').unwrap_or_default();
            let (name, value) = pair.split_once('=').ok_or("the cookie has no name")?;
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Response::from_parts(
            answer,
            body.collect().await?.to_bytes(),
        ))
    }
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, StatusCode,
    header::{COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;
use token_cache_demo::Web;
use url::{Url, form_urlencoded};

use crate::at;

/// A browser as far as this app needs one: cookies, redirects, forms. It runs no script.
#[derive(Clone)]
pub(crate) struct Browser {
    http: Client,
    /// By host, since cookies don't tell ports apart.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// The URL and the content of the browser's page.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        // Nothing here speaks TLS, but the client wants to be able to.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// One that forgets whatever it is told.
    pub(crate) fn without_cookies(&self) -> Self {
        Self {
            http: self.http.clone(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, HeaderMap::new(), None).await
    }

    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        self.send(Method::POST, url, HeaderMap::new(), Some(form))
            .await
    }

    /// Posts an empty form, and says where it was.
    pub(crate) async fn post_from(&mut self, url: &str, origin: &str, site: &'static str) -> Page {
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_str(origin).unwrap());
        headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        self.send(Method::POST, url, headers, Some(&[])).await
    }

    /// Follows redirects, up to a page.
    pub(crate) async fn visit(&mut self, url: &str) -> Page {
        let page = self.get(url).await;
        self.follow(page).await
    }

    pub(crate) async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(next) = page.redirect() else {
                return page;
            };
            page = self.get(next.as_str()).await;
        }
        panic!("it goes in circles at {}", page.url);
    }

    /// Signs in on a server, by typing a name at the provider where it asks for one.
    pub(crate) async fn sign_in(&mut self, web: &Web, server: char, name: &str) -> Page {
        let mut page = self.visit(&at(web, server, "/login")).await;
        if page.body.contains("name=\"interaction\"") {
            page = self.type_name(page, name).await;
            page = self.follow(page).await;
        }
        assert_eq!(page.url.as_str(), at(web, server, "/"), "{}", page.body);
        page
    }

    /// Up to the redirect with which the provider answers.
    pub(crate) async fn type_name(&mut self, page: Page, name: &str) -> Page {
        let interaction = page.between("name=\"interaction\" value=\"", "\"");
        let action = page.url.join("/sign-in").unwrap();
        let form = [("interaction", interaction.as_str()), ("name", name)];
        self.post(action.as_str(), &form).await
    }

    /// Status and JSON of `/api/me`.
    pub(crate) async fn me(&mut self, web: &Web, server: char) -> (u16, Value) {
        let page = self.get(&at(web, server, "/api/me")).await;
        (page.status.as_u16(), page.json())
    }

    /// The statuses of `/api/me` on A, B and C, with the cookies of this moment.
    pub(crate) async fn everywhere(&self, web: &Web) -> [u16; 3] {
        let mut statuses = [0; 3];
        for (status, server) in statuses.iter_mut().zip(['A', 'B', 'C']) {
            *status = self.clone().me(web, server).await.0;
        }
        statuses
    }

    /// As if a server of this app had set it, at some time.
    pub(crate) fn hold(&mut self, web: &Web, name: &str, value: &str) {
        let url = Url::parse(&at(web, 'A', "/")).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let cookies = self.cookies.entry(host).or_default();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn cookie_header(&self, url: &Url) -> Option<HeaderValue> {
        let cookies = self.cookies.get(url.host_str()?)?;
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).unwrap())
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        form: Option<&[(&str, &str)]>,
    ) -> Page {
        let url = Url::parse(url).unwrap();
        if let Some(cookies) = self.cookie_header(&url) {
            headers.insert(COOKIE, cookies);
        }
        let mut request = self.http.request(method, url.clone()).headers(headers);
        if let Some(form) = form {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form)
                .finish();
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
        }
        let answer = request.send().await.unwrap();
        let headers = answer.headers().clone();
        self.keep_cookies(&url, &headers);
        Page {
            url,
            status: answer.status(),
            headers,
            body: answer.text().await.unwrap(),
        }
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        let host = url.host_str().unwrap().to_owned();
        let cookies = self.cookies.entry(host).or_default();
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    pub(crate) fn redirect(&self) -> Option<Url> {
        if !self.status.is_redirection() {
            return None;
        }
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        Some(self.url.join(location).unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The text between two others.
    #[track_caller]
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) = self
            .body
            .split_once(before)
            .unwrap_or_else(|| panic!("no {before:?} in {}", self.body));
        rest.split(after).next().unwrap().replace("&amp;", "&")
    }
}

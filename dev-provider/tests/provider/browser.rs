use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    http::{Request, Response, Uri, header},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::{Url, form_urlencoded};

/// Keeps cookies, and follows no redirect.
pub(super) struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
        }
    }
}

/// A response, and the URI that it came from.
pub(super) struct Reply(Response<Bytes>, Uri);

impl Browser {
    pub(super) async fn get(&mut self, url: impl AsRef<str>) -> Reply {
        let request = Request::get(url.as_ref()).body(Full::default());
        self.send(request.unwrap()).await
    }

    pub(super) async fn post(&mut self, url: impl AsRef<str>, form: &[(&str, &str)]) -> Reply {
        self.send(posted(url.as_ref(), form)).await
    }

    /// Sends a request as it is, with the cookies.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        self.try_send(request).await.unwrap()
    }

    /// Returns `None` if the connection was closed.
    pub(super) async fn try_send(&mut self, mut request: Request<Full<Bytes>>) -> Option<Reply> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        if !cookies.is_empty() {
            let value = cookies.join("; ").parse().unwrap();
            request.headers_mut().insert(header::COOKIE, value);
        }
        let from = request.uri().clone();
        let (head, body) = self.http.request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(Reply(Response::from_parts(head, body), from))
    }

    /// Fills in the form that asks for a name.
    pub(super) async fn sign_in(&mut self, page: &Reply, name: &str) -> Reply {
        let url = format!("http://{}/sign-in", page.1.authority().unwrap());
        let interaction = page.interaction();
        self.post(url, &[("interaction", &interaction), ("name", name)])
            .await
    }

    pub(super) fn cookie(&self) -> Option<&str> {
        self.cookies.values().next().map(String::as_str)
    }
}

pub(super) fn posted(url: &str, form: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(body.finish().into()))
        .unwrap()
}

impl Reply {
    pub(super) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.0.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.0.body()).unwrap()
    }

    /// Returns the URI that it redirects to.
    #[track_caller]
    pub(super) fn location(&self) -> Url {
        assert_eq!(self.status(), 303, "{}", self.text());
        self.header("location").parse().unwrap()
    }

    /// A parameter of where it redirects to.
    #[track_caller]
    pub(super) fn sent_back(&self, name: &str) -> Option<String> {
        let url = self.location();
        let mut pairs = url.query_pairs();
        pairs.find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    /// The hidden field of its form.
    #[track_caller]
    pub(super) fn interaction(&self) -> String {
        assert_eq!(self.status(), 200, "{}", self.text());
        let (_, rest) = self
            .text()
            .split_once("name=\"interaction\" value=\"")
            .unwrap_or_else(|| panic!("no form: {}", self.text()));
        rest.split('"').next().unwrap().to_owned()
    }
}

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    http::{HeaderMap, Request, header},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::{Url, form_urlencoded};

use crate::failure::Failure;

const FIELD: &str = "name=\"interaction\" value=\"";

/// A browser of Ada's, which knows its way about the development provider.
pub(crate) struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

/// The provider's answer to an app, by the browser.
pub(crate) struct SentBack {
    pub(crate) state: String,
    pub(crate) code: String,
}

struct Reply {
    headers: HeaderMap,
    body: Bytes,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
        }
    }

    /// Goes where an app has redirected it, and types the name where it is asked for one.
    pub(crate) async fn sign_in(&mut self, url: &str, name: &str) -> Result<SentBack, Failure> {
        let mut reply = self.send(Request::get(url).body(Full::default())).await?;
        if let Some(interaction) = reply.interaction() {
            let url = Url::parse(url).and_then(|url| url.join("/sign-in"));
            let url = url.map_err(|error| failed(&error))?;
            let form = [("interaction", interaction.as_str()), ("name", name)];
            reply = self.post(url.as_str(), &form).await?;
        }
        reply.sent_back()
    }

    /// Presses the button on the provider's own page, and returns when the provider has told the apps.
    pub(crate) async fn sign_out(&mut self, issuer: &str) -> Result<(), Failure> {
        self.post(&format!("{issuer}/sign-out"), &[]).await?;
        Ok(())
    }

    async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Result<Reply, Failure> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(body.finish()));
        self.send(request).await
    }

    async fn send(
        &mut self,
        request: Result<Request<Full<Bytes>>, axum::http::Error>,
    ) -> Result<Reply, Failure> {
        let mut request = request.map_err(|error| failed(&error))?;
        for (name, value) in &self.cookies {
            let cookie = format!("{name}={value}").parse();
            let cookie = cookie.map_err(|_| failed(&"its cookie can't be sent"))?;
            request.headers_mut().append(header::COOKIE, cookie);
        }
        let answer = self.http.request(request).await;
        let (head, body) = answer.map_err(|error| failed(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| failed(&error))?;
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap_or_default());
        }
        if head.status.is_success() || head.status.is_redirection() {
            Ok(Reply {
                headers: head.headers,
                body: body.to_bytes(),
            })
        } else {
            Err(failed(&head.status))
        }
    }

    fn keep(&mut self, cookie: &str) {
        let pair = cookie
            .split(';')
            .next()
            .and_then(|pair| pair.split_once('='));
        if let Some((name, value)) = pair {
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Reply {
    /// The hidden field of the form that asks for a name, if it is that form.
    fn interaction(&self) -> Option<String> {
        let page = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = page.split_once(FIELD)?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    fn sent_back(&self) -> Result<SentBack, Failure> {
        let location = self.headers.get(header::LOCATION);
        let url = location.and_then(|url| Url::parse(url.to_str().ok()?).ok());
        let url = url.ok_or_else(|| failed(&"it sent the browser nowhere"))?;
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            let pair = pairs.find(|(one, _)| one == name);
            pair.map(|(_, value)| value.into_owned())
        };
        match (value("state"), value("code")) {
            (Some(state), Some(code)) => Ok(SentBack { state, code }),
            _ => Err(failed(&value("error").unwrap_or_default())),
        }
    }
}

fn failed(what: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("a browser at the provider: {what}"))
}

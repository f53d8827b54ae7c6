use axum::{body::Bytes, http::Request};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use http_body_util::Full;
use ring::digest;
use serde_json::Value;
use url::{Url, form_urlencoded::byte_serialize};

use super::{
    CALLBACK, DevelopmentProvider, RegisteredClient,
    browser::{Browser, Reply, posted},
};

pub(super) const VERIFIER: &str = "a-code-verifier-of-fifty-characters-and-some-more";

/// An app that speaks to the provider by hand, so that it can also speak wrongly.
pub(super) struct App {
    pub(super) client: RegisteredClient,
    issuer: String,
}

#[derive(Debug, Clone)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) id: String,
}

impl App {
    pub(super) fn new(provider: &DevelopmentProvider, client: RegisteredClient) -> Self {
        let issuer = provider.issuer().to_owned();
        Self { client, issuer }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// A request in order, with these parameters changed; an empty one is left out.
    pub(super) fn authorize(&self, changes: &[(&str, &str)]) -> String {
        let hash = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(hash);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &self.client.id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid offline_access"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let mut url = Url::parse(&self.at("/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(pairs);
        url.into()
    }

    /// Signs in by the form, and gives the code.
    pub(super) async fn code(&self, browser: &mut Browser, name: &str) -> String {
        let page = browser.get(self.authorize(&[("prompt", "login")])).await;
        let back = browser.sign_in(&page, name).await;
        assert_eq!(back.sent_back("state").as_deref(), Some("a state"));
        back.sent_back("code").unwrap()
    }

    pub(super) async fn sign_in(&self, browser: &mut Browser, name: &str) -> Tokens {
        let code = self.code(browser, name).await;
        Tokens::of(&self.exchange(&code, &[]).await)
    }

    /// Exchanges a code, with these parameters changed.
    pub(super) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask("/token", &usual, changes).await
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Reply {
        self.try_refresh(refresh_token).await.unwrap()
    }

    /// Returns `None` if the connection was closed.
    pub(super) async fn try_refresh(&self, refresh_token: &str) -> Option<Reply> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        let request = self.request("/token", &form, &[]);
        Browser::default().try_send(request).await
    }

    /// The same app once more.
    pub(super) fn again(&self, provider: &DevelopmentProvider) -> Self {
        Self::new(provider, self.client.clone())
    }

    pub(super) async fn revoke(&self, token: &str) -> Reply {
        self.ask("/revoke", &[("token", token)], &[]).await
    }

    pub(super) async fn ask(
        &self,
        path: &str,
        usual: &[(&str, &str)],
        changes: &[(&str, &str)],
    ) -> Reply {
        let request = self.request(path, usual, changes);
        Browser::default().send(request).await
    }

    fn request(
        &self,
        path: &str,
        usual: &[(&str, &str)],
        changes: &[(&str, &str)],
    ) -> Request<Full<Bytes>> {
        let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
        let mut form: Vec<_> = usual
            .iter()
            .filter(|(name, _)| !is_changed(name))
            .copied()
            .collect();
        form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let secret = self.client.secret.as_deref();
        if secret.is_none() {
            form.push(("client_id", &self.client.id));
        }
        let mut request = posted(&self.at(path), &form);
        if let Some(secret) = secret {
            let value = basic(&self.client.id, secret).parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        request
    }

    pub(super) async fn userinfo(&self, access_token: &str) -> Reply {
        let mut request = posted(&self.at("/userinfo"), &[]);
        let value = format!("Bearer {access_token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        Browser::default().send(request).await
    }

    pub(super) fn end_session(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.at("/end_session")).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

impl Tokens {
    #[track_caller]
    pub(super) fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status(), 200, "{}", reply.text());
        let json = reply.json();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            id: text("id_token"),
        }
    }

    /// The ID token's claims, unverified.
    pub(super) fn claims(&self) -> Value {
        claims(&self.id)
    }
}

pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

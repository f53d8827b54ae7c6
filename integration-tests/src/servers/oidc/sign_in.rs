use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::CLIENT;
use super::browser::{self, Browser, Page};
use crate::servers::ServerError;

pub(super) const CALLBACK: &str = "https://app.example/callback";
/// A verifier and its challenge, from RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Runs the authorization code flow with PKCE, for a refresh token.
pub(super) async fn sign_in(issuer: &str, subject: &str) -> Result<Value, ServerError> {
    let (client_id, secret) = CLIENT;
    let mut url = Url::parse(&format!("{issuer}/auth")).map_err(ServerError::during("a URL"))?;
    url.query_pairs_mut().extend_pairs([
        ("client_id", client_id),
        ("response_type", "code"),
        ("scope", "openid offline_access"),
        ("prompt", "consent"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let mut browser = Browser::at(url);
    shown(browser.open().await?, "the page to sign in")?;
    let login = [("prompt", "login"), ("login", subject), ("password", "any")];
    shown(browser.submit(&login).await?, "the page to consent")?;
    let code = match browser.submit(&[("prompt", "consent")]).await? {
        Ok(page) => return Err(page.unexpected("the redirect to the app")),
        Err(callback) => code(&callback)?,
    };

    let basic = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let url = format!("{issuer}/token");
    browser::read(&browser::post(&url, format!("Basic {basic}"), &exchange).await?)
}

fn shown(came: Result<Page, Url>, expected: &str) -> Result<(), ServerError> {
    match came {
        Ok(page) if page.status == 200 => Ok(()),
        Ok(page) => Err(page.unexpected(expected)),
        Err(url) => Err(ServerError::new(format!("not {expected} but {url}"))),
    }
}

fn code(callback: &Url) -> Result<String, ServerError> {
    let code = callback.query_pairs().find(|(name, _)| name == "code");
    code.map(|(_, code)| code.into_owned())
        .ok_or_else(|| ServerError::new(format!("no code in {callback}")))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

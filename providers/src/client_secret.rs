use std::{cell::RefCell, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth2::{
    ClientCredentialsTokenRequest, ErrorResponse, HttpRequest, HttpResponse, TokenResponse,
};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Returns the secret that a client of the crate `oauth2` sends with its requests, or `None` for a public client.
///
/// The crate has no accessor for the secret. The function lets the client build a request, reads the secret in it, and sends nothing.
pub(crate) fn read_client_secret<TE, TR>(
    request: ClientCredentialsTokenRequest<'_, TE, TR>,
) -> Option<String>
where
    TE: ErrorResponse + 'static,
    TR: TokenResponse,
{
    let secret = RefCell::new(None);
    let read = |request: HttpRequest| -> Result<HttpResponse, NotSent> {
        *secret.borrow_mut() = in_header(&request).or_else(|| in_form(&request));
        Err(NotSent)
    };
    // The request always fails with `NotSent`.
    let _ = request.request(&read);
    secret.into_inner()
}

/// Returns the secret in a header of HTTP Basic, whose parts are form-encoded (RFC 6749 section 2.3.1).
fn in_header(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let joined = Zeroizing::new(STANDARD.decode(value.strip_prefix("Basic ")?).ok()?);
    let secret = joined.splitn(2, |byte| *byte == b':').nth(1)?;
    // Parsed as a form that has one name and no value.
    let (secret, _) = form_urlencoded::parse(secret).next().unwrap_or_default();
    Some(secret.into_owned())
}

fn in_form(request: &HttpRequest) -> Option<String> {
    let mut form = form_urlencoded::parse(request.body());
    let (_, secret) = form.find(|(name, _)| name == "client_secret")?;
    Some(secret.into_owned())
}

#[derive(Debug)]
struct NotSent;

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not sent")
    }
}

impl std::error::Error for NotSent {}

#[cfg(test)]
mod tests {
    use oauth2::{AuthType, ClientId, ClientSecret, TokenUrl, basic::BasicClient};

    use super::*;

    #[test]
    fn the_secret_of_a_client_is_read_however_it_is_sent() {
        let client = BasicClient::new(ClientId::new("a shop:1".into()))
            .set_token_uri(TokenUrl::new("https://id.example/token".into()).unwrap());
        assert_eq!(
            read_client_secret(client.exchange_client_credentials()),
            None
        );
        for secret in ["plain", "p/w+: &=%", "ü \u{1F511}", ":", "a=b&c=d", " "] {
            for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
                let secret_of_app = ClientSecret::new(secret.into());
                let client = client
                    .clone()
                    .set_client_secret(secret_of_app)
                    .set_auth_type(auth);
                let read = read_client_secret(client.exchange_client_credentials());
                assert_eq!(read.as_deref(), Some(secret));
            }
        }
    }
}

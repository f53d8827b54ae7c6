use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The way in which the app sends its client id and its client secret to the token endpoint and the revocation endpoint (RFC 6749
/// section 2.3.1). Pass it to [`ProviderBuilder::client_auth`](crate::ProviderBuilder::client_auth).
///
/// It has no effect if the app is a public client, which has no client secret. Its client id is sent as the field `client_id` of the form
/// in the body of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: the client id and the client secret are sent in the header `Authorization` (HTTP Basic). By RFC 6749, every
    /// provider that issues client secrets must accept it. This is the default.
    #[default]
    Basic,
    /// `client_secret_post`: the client id and the client secret are sent as the fields `client_id` and `client_secret` of the form in the
    /// body of the request.
    Body,
}

/// The client id and the client secret of the app. Without a secret, only the id is sent.
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) auth: ClientAuth,
}

impl Credentials {
    /// Returns the value of the header `Authorization`, or `None` if the credentials go into the form.
    pub(crate) fn header(&self) -> Option<Zeroizing<String>> {
        let secret = self.client_secret.as_ref()?;
        if self.auth != ClientAuth::Basic {
            return None;
        }
        let joined = Zeroizing::new(format!(
            "{}:{}",
            *encoded(&self.client_id),
            *encoded(secret.expose_secret())
        ));
        let encoded = Zeroizing::new(STANDARD.encode(joined.as_bytes()));
        Some(Zeroizing::new(format!("Basic {}", *encoded)))
    }

    /// Returns the credentials that go into the form.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, &str)> {
        match &self.client_secret {
            Some(_) if self.auth == ClientAuth::Basic => Vec::new(),
            Some(secret) => vec![
                ("client_id", &self.client_id),
                ("client_secret", secret.expose_secret()),
            ],
            None => vec![("client_id", &self.client_id)],
        }
    }
}

/// Form-encodes a part of the HTTP Basic credentials (RFC 6749 section 2.3.1).
fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(client_secret: Option<&str>, auth: ClientAuth) -> Credentials {
        Credentials {
            client_id: "a shop:1".to_owned(),
            client_secret: client_secret.map(Into::into),
            auth,
        }
    }

    #[test]
    fn each_way_sends_the_credentials_once() {
        let basic = credentials(Some("p/w+:"), ClientAuth::Basic);
        let header = basic.header().unwrap();
        let sent = STANDARD
            .decode(header.strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(sent, b"a+shop%3A1:p%2Fw%2B%3A");
        assert!(basic.parameters().is_empty());

        let body = credentials(Some("p/w+:"), ClientAuth::Body);
        assert!(body.header().is_none());
        assert_eq!(
            body.parameters(),
            [("client_id", "a shop:1"), ("client_secret", "p/w+:")]
        );
    }

    #[test]
    fn a_public_client_sends_its_id_in_the_form() {
        for auth in [ClientAuth::Basic, ClientAuth::Body] {
            let public = credentials(None, auth);
            assert!(public.header().is_none());
            assert_eq!(public.parameters(), [("client_id", "a shop:1")]);
        }
    }
}

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;
use token_cache::{
    Timestamp, TokenCache,
    sign_out::{Algorithm, ClientRegistration, SignOutRoutes},
};

use crate::Result;

pub(super) const ISSUER: &str = "https://id.example";

/// A provider that signs logout tokens with ES256.
pub(super) struct Provider {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

/// A logout token, with the parts for verifying its signature.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) signature: Vec<u8>,
}

impl Provider {
    pub(super) fn new() -> Result<Self> {
        let (curve, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &random).map_err(no_key)?;
        let key = EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random).map_err(no_key)?;
        Ok(Self { key, random })
    }

    /// Returns the public key, for verifying a signature directly.
    pub(super) fn point(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// Returns the routes of an app of this provider. They have the provider's keys.
    pub(super) fn routes(&self, cache: TokenCache) -> Result<SignOutRoutes> {
        Ok(SignOutRoutes::builder(cache)
            .client(self.client())
            .build()?)
    }

    pub(super) fn client(&self) -> ClientRegistration {
        let point = self.point();
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "2026-11", "use": "sig", "alg": "ES256",
            "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
        }]});
        ClientRegistration::new(ISSUER, "shop")
            .algorithms([Algorithm::Es256])
            .jwks(keys.to_string())
    }

    /// Returns a logout token of a user and a session.
    pub(super) fn token(&self, subject: &str, sid: &str) -> Result<Token> {
        let now = Timestamp::from_system_time(std::time::SystemTime::now()).as_millis() / 1000;
        let header = json!({"alg": "ES256", "typ": "logout+jwt", "kid": "2026-11"});
        let claims = json!({
            "iss": ISSUER, "aud": "shop", "iat": now, "exp": now + 3600, "sub": subject, "sid": sid,
            "jti": "4e9bb0fc-1f2b-4f3c-9d7a-4f4f6f0ac0b1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let signed = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(claims.to_string())
        );
        let signature = self
            .key
            .sign(&self.random, signed.as_bytes())
            .map_err(no_key)?;
        let signature = signature.as_ref().to_vec();
        Ok(Token {
            text: format!("{signed}.{}", encoded(&signature)),
            signature,
        })
    }
}

impl Token {
    /// Returns the signed part.
    pub(super) fn signed(&self) -> &[u8] {
        let end = self.text.rfind('.').unwrap_or_default();
        &self.text.as_bytes()[..end]
    }

    pub(super) fn form(&self) -> Bytes {
        format!("logout_token={}", self.text).into()
    }
}

/// Returns a provider's request.
pub(super) fn post(form: Bytes) -> Result<Request<Full<Bytes>>> {
    Ok(Request::post("/backchannel-logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(form))?)
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn no_key(error: impl std::fmt::Display) -> String {
    format!("no key to sign with: {error}")
}

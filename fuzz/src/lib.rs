//! Shared code of the fuzz targets.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use token_cache_core::TokenCache;
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutRoutes, SignOutRoutesBuilder};

/// The routes of an app, and the key of its provider.
pub struct App {
    /// The runtime of the requests.
    pub runtime: tokio::runtime::Runtime,
    /// The routes, on an in-memory cache.
    pub routes: SignOutRoutes,
    provider: Ed25519KeyPair,
}

impl App {
    /// Returns an app whose routes have the settings of `set`.
    pub fn new(set: impl FnOnce(SignOutRoutesBuilder) -> SignOutRoutesBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the runtime starts");
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("the key is valid");
        let provider = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("the key is valid");
        let public = URL_SAFE_NO_PAD.encode(provider.public_key());
        let cache = runtime
            .block_on(TokenCache::in_memory())
            .expect("an in-memory cache opens");
        let client = ClientRegistration::new("https://id.example", "shop")
            .algorithms([Algorithm::EdDsa])
            .jwks(format!(
                r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{public}"}}]}}"#
            ));
        let routes = set(SignOutRoutes::builder(cache).client(client))
            .build()
            .expect("the settings are valid");
        Self {
            runtime,
            routes,
            provider,
        }
    }

    /// Returns a token that the provider signed, with this header and these claims.
    pub fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.provider.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

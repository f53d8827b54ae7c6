//! Valid tokens of a provider, for the tests of the adapters.

use serde_json::{Value, json};
use token_cache_core::TokenCache;

use crate::signer::Signer;

/// Returns a logout token of `issuer` for its client `shop` that names this session.
pub(crate) fn logout_token(signer: &Signer, cache: &TokenCache, issuer: &str, sid: &str) -> String {
    let seconds = cache.now().unwrap().as_millis() / 1000;
    signed(
        signer,
        "logout+jwt",
        &json!({
            "iss": issuer, "aud": "shop", "iat": seconds, "exp": seconds + 120, "jti": "1", "sid": sid,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }),
    )
}

/// Returns a security event that revokes this session.
pub(crate) fn session_revoked(
    signer: &Signer,
    cache: &TokenCache,
    issuer: &str,
    sid: &str,
) -> String {
    let seconds = cache.now().unwrap().as_millis() / 1000;
    let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    signed(
        signer,
        "secevent+jwt",
        &json!({
            "iss": issuer, "aud": "shop", "iat": seconds, "jti": "1",
            "sub_id": {"format": "opaque", "id": sid}, "events": {revoked: {}},
        }),
    )
}

fn signed(signer: &Signer, typ: &str, claims: &Value) -> String {
    let header = json!({"typ": typ, "alg": signer.alg(), "kid": signer.id});
    signer.sign(&header.to_string(), &claims.to_string())
}

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::{answer, shared::Shared};

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
pub(super) async fn document(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let authentication = ["client_secret_basic", "client_secret_post", "none"];
    answer::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "revocation_endpoint": at("/revoke"),
            "end_session_endpoint": at("/end_session"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "claims_supported": [
                "iss", "sub", "aud", "iat", "exp", "auth_time", "sid", "nonce", "at_hash", "name", "preferred_username",
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": authentication,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "select_account"],
            "authorization_response_iss_parameter_supported": true,
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": true,
            "frontchannel_logout_session_supported": true,
        }),
    )
}

/// `GET /jwks`.
pub(super) async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    answer::json(StatusCode::OK, &shared.key.jwks())
}

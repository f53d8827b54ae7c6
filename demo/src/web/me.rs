use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use token_cache::{Timestamp, TokenSet};

use super::{
    plain_app::fingerprint,
    profile::{Profile, tokens_key},
    server::Server,
    signed_in::{Denied, SignedIn},
    timeline::Kind,
};
use crate::near_cache::Source;

/// `GET /api/me`: what an app's page does at every click. It reads the user's tokens, refreshes them when they are due, and says
/// whose they are; 401 once the user has signed out, on whichever server.
pub(crate) async fn me(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let called = async {
        let signed_in = SignedIn::at(&server, &request).await?;
        let began = server.cache.now()?;
        let source = server.source(&signed_in.profile, None);
        let tokens = signed_in
            .session
            .get_or_refresh(&tokens_key()?, source)
            .await?;
        let refreshed = tokens.issued_at().is_some_and(|issued| issued >= began);
        Ok::<_, Denied>((signed_in, tokens, refreshed))
    };
    match server.reading(called).await {
        Ok(((signed_in, tokens, refreshed), from)) => {
            let state = if refreshed { "refreshed" } else { "fresh" };
            server.tell(
                Kind::Tokens,
                format!(
                    "The API is called for {} with token {} ({state}, {}).",
                    signed_in.profile.name,
                    fingerprint(&tokens),
                    match from {
                        Source::Store => "read from the store",
                        Source::NearCache => "from the near cache",
                    }
                ),
            );
            Json(answer(&server, &signed_in, &tokens, state, from)).into_response()
        }
        Err(denied) => {
            if matches!(denied, Denied::SignedOut) {
                server.tell(
                    Kind::Refused,
                    "The API is refused: this session has signed out.",
                );
            }
            denied.answer(&server, &request).await
        }
    }
}

fn answer(
    server: &Server,
    signed_in: &SignedIn,
    tokens: &TokenSet,
    state: &str,
    from: Source,
) -> Value {
    let Profile {
        issuer,
        subject,
        name,
        sid,
        auth_time,
    } = &signed_in.profile;
    json!({
        "server": server.name,
        "account": {"issuer": issuer, "subject": subject, "name": name},
        "session": {
            "sid": sid,
            "auth_time": auth_time,
            "ends_at_ms": signed_in.session.ends_at().as_millis(),
        },
        "tokens": {
            "state": state,
            "from": from,
            "token": fingerprint(tokens),
            "expires_at_ms": tokens.expires_at().map(Timestamp::as_millis),
            "refreshable": tokens.refresh_token().is_some(),
        },
    })
}

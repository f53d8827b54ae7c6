use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use token_cache::{Error, ErrorKind, Timestamp, TokenSet};
use tokio::time::timeout;

use super::{
    plain_app::fingerprint,
    server::Server,
    shared::Shared,
    signed_in::{Denied, SignedIn},
    timeline::Kind,
};
use crate::{
    near_cache::Source,
    steps::{Profile, tokens_key},
};

/// `GET /api/me`: what an app's page does at every click. It reads the user's tokens, refreshes them when they are due, and says
/// whose they are; 401 once the user has signed out, on whichever server.
pub(crate) async fn me(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let called = async {
        let signed_in = SignedIn::at(&server, &request).await?;
        let began = server.cache().now()?;
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

/// How long the provider may take until its answer is there to be kept back.
const UNTIL_IN_FLIGHT: Duration = Duration::from_secs(10);

/// `POST /demo/slow-refresh`: refreshes the user's tokens, and keeps the provider's answer back until somebody has signed out.
/// Answers 202 once it is in flight.
pub(crate) async fn slow_refresh(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    match begin(&server, &request).await {
        Ok(()) => {
            let in_flight = json!({"state": "in_flight", "server": server.name});
            (StatusCode::ACCEPTED, Json(in_flight)).into_response()
        }
        Err(denied) => denied.answer(&server, &request).await,
    }
}

async fn begin(server: &Arc<Server>, request: &Parts) -> Result<(), Denied> {
    let signed_in = SignedIn::at(server, request).await?;
    let late = server.shared.late_answers.keep_one_back();
    let refresh = tokio::spawn({
        let (server, late) = (Arc::clone(server), Arc::clone(&late));
        async move {
            let profile = signed_in.profile.clone();
            let source = server.source(&profile, Some(late));
            let cache = &server.app.cache;
            let refreshed = cache.refresh_now(&signed_in.session, source).await;
            tell(&server, &profile, &refreshed).await;
            refreshed
        }
    });
    tokio::select! {
        in_flight = timeout(UNTIL_IN_FLIGHT, late.arrived()) => match in_flight {
            Ok(()) => {
                server.tell(
                    Kind::InFlight,
                    "A refresh is under way, and the provider's answer takes its time.",
                );
                Ok(())
            }
            Err(_) => Err(not_in_flight("the provider takes too long to be slow at will").into()),
        },
        ended = refresh => match ended {
            Ok(Err(error)) => Err(error.into()),
            _ => Err(not_in_flight("another refresh came first; try again").into()),
        },
    }
}

async fn tell(server: &Server, profile: &Profile, refreshed: &Result<TokenSet, Error>) {
    match refreshed {
        Ok(_) => server.tell(
            Kind::Tokens,
            format!(
                "{}'s tokens are refreshed: there was no sign-out.",
                profile.name
            ),
        ),
        Err(error) if error.is_signed_out() => {
            let Shared {
                plain, timeline, ..
            } = &*server.shared;
            plain
                .took_late_answer(timeline, &server.name, &profile.subject)
                .await;
            server.tell(
                Kind::Refused,
                "token-cache refuses the late answer, and has its refresh token revoked.",
            );
        }
        Err(error) => server.tell(Kind::Failed, format!("The refresh failed: {error}")),
    }
}

fn not_in_flight(why: &str) -> Error {
    Error::new(ErrorKind::NotRefreshable, "begin a slow refresh").message(why)
}

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;
use token_cache::{Error, ErrorKind, TokenSet};
use tokio::time::timeout;

use super::{
    fleet::Shared,
    late_answers::LateAnswer,
    profile::{Profile, tokens_key},
    server::Server,
    signed_in::{Denied, SignedIn},
    timeline::Kind,
};

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
            let refreshed = refresh(&server, signed_in, late).await;
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

/// Tokens that are due are refreshed, so they are made so.
async fn refresh(
    server: &Server,
    signed_in: SignedIn,
    late: Arc<LateAnswer>,
) -> Result<TokenSet, Error> {
    let SignedIn { session, profile } = signed_in;
    let key = tokens_key()?;
    if let Some(entry) = session.get(&key).await? {
        let due = entry.tokens()?.with_expires_at(server.cache.now()?);
        if due.refresh_token().is_none() {
            return Err(not_in_flight("the provider gave no refresh token"));
        }
        session.put(&key, due).await?;
    }
    let source = server.source(&profile, Some(late));
    session.get_or_refresh(&key, source).await
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

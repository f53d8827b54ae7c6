use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    answer,
    authorization_request::{AuthorizationRequest, Refused},
    form::Parameters,
    grants::{Code, Grant},
    id_token_hint::IdTokenHint,
    oauth_error::OAuthError,
    pages::{PageError, sign_in},
    random::random_text,
    shared::{Shared, now},
    sso_cookie,
};

const UNKNOWN_HINT: OAuthError =
    OAuthError::request("id_token_hint is no ID token of this provider");

/// `GET /authorize`.
pub(super) async fn by_query(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    authorize(&shared, &headers, query.unwrap_or_default().as_bytes())
}

/// `POST /authorize`.
pub(super) async fn by_form(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    authorize(&shared, &headers, &body)
}

fn authorize(shared: &Shared, headers: &HeaderMap, text: &[u8]) -> Result<Response, PageError> {
    let parameters = Parameters::parse(text)?;
    let request = AuthorizationRequest::parse(&parameters, &shared.registry, &shared.issuer);
    let request = match request {
        Ok(request) => request,
        Err(Refused::Page(error)) => return Err(error),
        Err(Refused::Redirect(url)) => return Ok(answer::see_other(&url)),
    };
    let hinted = match parameters.value("id_token_hint") {
        None => None,
        Some(token) => match IdTokenHint::open(shared, token) {
            Some(hint) => Some(hint.sub),
            None => return Ok(answer::see_other(&request.refusal(&UNKNOWN_HINT))),
        },
    };
    let cookie = sso_cookie::read(shared, headers);
    let is_signed_in = cookie.as_ref().is_some_and(|cookie| {
        let sessions = shared.sessions();
        sessions.of(cookie).is_some_and(|session| {
            let is_meant = hinted.is_none_or(|subject| subject == session.subject);
            is_meant && !request.asks_for_sign_in(session, now())
        })
    });
    match cookie.filter(|_| is_signed_in) {
        Some(cookie) => grant(shared, &request, &cookie),
        None if request.is_silent => {
            let error = OAuthError::bad("login_required", "the user has to sign in");
            Ok(answer::see_other(&request.refusal(&error)))
        }
        None => {
            let interaction = random_text()?;
            let page = sign_in::page(&interaction, &request);
            shared.sign_ins().insert(interaction, request);
            Ok(page)
        }
    }
}

/// Back to the app with a code for the session of this cookie.
pub(super) fn grant(
    shared: &Shared,
    request: &AuthorizationRequest,
    cookie: &str,
) -> Result<Response, PageError> {
    let (code, id) = (random_text()?, random_text()?);
    // One lock around both, so that a sign-out finds all grants of the session it ends.
    let mut sessions = shared.sessions();
    let session = sessions.of_mut(cookie).ok_or_else(PageError::too_late)?;
    session.join(&request.client);
    let grant = Grant {
        client: request.client.clone(),
        name: session.name.clone(),
        subject: session.subject.clone(),
        sid: session.sid.clone(),
        auth_time: session.auth_time,
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
    };
    let bound = Code::new(id, request.redirect_uri.clone(), request.challenge.clone());
    shared.grants().begin(grant, code.clone(), bound);
    Ok(answer::see_other(&request.granted(&code)))
}

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use crate::{
    crypto::random_text,
    error::OAuthError,
    events::Event,
    grants::{Code, Grant},
    http::{self, Parameters, is_same_origin},
    logout,
    pages::{self, PageError},
    request::{AuthorizationRequest, Refused},
    sessions::{Session, subject_of},
    state::{Shared, now},
    token::IdTokenHint,
};

const UNKNOWN_HINT: OAuthError =
    OAuthError::request("id_token_hint is no ID token of this provider");

/// `GET /authorize`.
pub(crate) async fn by_query(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    authorize(&shared, &headers, query.unwrap_or_default().as_bytes())
}

/// `POST /authorize`.
pub(crate) async fn by_form(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    authorize(&shared, &headers, &body)
}

fn authorize(shared: &Shared, headers: &HeaderMap, text: &[u8]) -> Result<Response, PageError> {
    let parameters = Parameters::parse(text)?;
    let request = AuthorizationRequest::parse(&parameters, &shared.clients, &shared.issuer);
    let request = match request {
        Ok(request) => request,
        Err(Refused::Page(error)) => return Err(error),
        Err(Refused::Redirect(url)) => return Ok(http::see_other(&url)),
    };
    let hinted = match parameters.value("id_token_hint") {
        None => None,
        Some(token) => match IdTokenHint::open(shared, token) {
            Some(hint) => Some(hint.sub),
            None => return Ok(http::see_other(&request.refusal(&UNKNOWN_HINT))),
        },
    };
    let cookie = shared.sso_cookie.read(headers);
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
            Ok(http::see_other(&request.refusal(&error)))
        }
        None => {
            let interaction = random_text()?;
            let hint = request.login_hint.as_deref();
            let page = pages::sign_in(&interaction, &request.client, hint, request.leads_to());
            shared.sign_ins().insert(interaction, request);
            Ok(page)
        }
    }
}

/// Back to the app with a code for the session of this cookie.
fn grant(
    shared: &Shared,
    request: &AuthorizationRequest,
    cookie: &str,
) -> Result<Response, PageError> {
    // One lock around both, so that a sign-out finds all grants of the session it ends.
    let mut sessions = shared.sessions();
    let session = sessions.of_mut(cookie).ok_or_else(PageError::too_late)?;
    session.join(&request.client, request.loopback_app.clone());
    let grant = Grant {
        client: request.client.clone(),
        name: session.name.clone(),
        subject: session.subject.clone(),
        sid: session.sid.clone(),
        auth_time: session.auth_time,
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
    };
    let bound = Code {
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
    };
    let code = shared.grants().begin(grant, bound)?;
    Ok(http::see_other(&request.granted(&code)))
}

const LONGEST_NAME: usize = 64;

/// `POST /sign-in`: the form that asks for a name.
pub(crate) async fn submitted(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    if !is_same_origin(&headers, &shared.issuer) {
        return Err(PageError::foreign_form());
    }
    let form = Parameters::parse(&body)?;
    let name = form.value("name").unwrap_or_default().trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(PageError::request(
            "A name takes 1 to 64 bytes. Go back and type a shorter one.",
        ));
    }
    let interaction = form.value("interaction").unwrap_or_default();
    let request = shared.sign_ins().remove(interaction);
    let request = request.ok_or_else(PageError::too_late)?;
    let cookie = begin(&shared, &headers, name).await?;
    shared.journal.note(Event::SignedIn {
        name: name.to_owned(),
        client: request.client.clone(),
    });
    let mut response = grant(&shared, &request, &cookie)?;
    shared.sso_cookie.set(&mut response, &cookie);
    Ok(response)
}

/// Begins a session under a new cookie. It takes over from that of the same user in this browser; another user's ends.
async fn begin(shared: &Arc<Shared>, headers: &HeaderMap, name: &str) -> Result<String, PageError> {
    let (cookie, sid) = (random_text()?, random_text()?);
    let mut session = Session {
        name: name.to_owned(),
        subject: subject_of(name),
        auth_time: now(),
        sid,
        participants: BTreeSet::new(),
    };
    let keeps_sid = shared.settings().keeps_sid;
    if let Some(earlier_cookie) = shared.sso_cookie.read(headers) {
        let is_another = {
            let mut sessions = shared.sessions();
            let earlier = sessions.of(&earlier_cookie);
            let is_another = earlier.is_some_and(|earlier| earlier.subject != session.subject);
            if !is_another && let Some(earlier) = sessions.end(&earlier_cookie) {
                session.participants = earlier.participants;
                if keeps_sid {
                    session.sid = earlier.sid;
                }
            }
            is_another
        };
        if is_another {
            logout::end(shared, &earlier_cookie).await;
        }
    }
    shared.sessions().begin(cookie.clone(), session);
    Ok(cookie)
}

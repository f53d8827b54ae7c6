use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use url::Url;

use crate::{
    crypto::random_text,
    events::Event,
    http::{self, Parameters, is_same_origin},
    logout,
    pages::{self, Frame, PageError},
    state::{Shared, WantsToSignOut},
    token::IdTokenHint,
};

/// `GET /end_session` (RP-Initiated Logout 1.0).
pub(crate) async fn by_query(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    asked(&shared, &headers, query.unwrap_or_default().as_bytes()).await
}

/// `POST /end_session`.
pub(crate) async fn by_form(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    asked(&shared, &headers, &body).await
}

async fn asked(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    text: &[u8],
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(text)?;
    if parameters.repeats_any() {
        return Err(PageError::request("It names a parameter twice."));
    }
    let hint = hint(shared, &parameters)?;
    let next = next(shared, &parameters, hint.as_ref())?;
    let here = shared.sso_cookie.read(headers);
    let (here, hinted) = {
        let sessions = shared.sessions();
        let here = here.filter(|cookie| sessions.of(cookie).is_some());
        let hinted = hint.and_then(|hint| sessions.cookie_of(&hint.sub, &hint.sid));
        (here, hinted)
    };
    match (here, hinted) {
        // A form that was posted across sites comes without the cookie.
        (None, Some(hinted)) => Ok(end(shared, &hinted, next.as_ref()).await),
        (Some(here), Some(hinted)) if here == hinted => {
            Ok(end(shared, &hinted, next.as_ref()).await)
        }
        (Some(cookie), _) => {
            let interaction = random_text()?;
            let name = shared.sessions().of(&cookie).map(|own| own.name.clone());
            let page = pages::confirm(&interaction, &name.unwrap_or_default(), next.as_ref());
            let wants = WantsToSignOut { cookie, next };
            shared.sign_outs().insert(interaction, wants);
            Ok(page)
        }
        (None, None) => Ok(gone_on(shared, &[], next.as_ref())),
    }
}

/// `POST /end_session/confirmed`: the user said yes.
pub(crate) async fn confirmed(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    if !is_same_origin(&headers, &shared.issuer) {
        return Err(PageError::foreign_form());
    }
    let form = Parameters::parse(&body)?;
    let interaction = form.value("interaction").unwrap_or_default();
    let wants = shared.sign_outs().remove(interaction);
    let wants = wants.ok_or_else(PageError::too_late)?;
    Ok(end(&shared, &wants.cookie, wants.next.as_ref()).await)
}

/// `POST /sign-out`: the button on the provider's own page.
pub(crate) async fn button(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if !is_same_origin(&headers, &shared.issuer) {
        return Err(PageError::foreign_form());
    }
    let cookie = shared.sso_cookie.read(&headers).unwrap_or_default();
    Ok(end(&shared, &cookie, None).await)
}

async fn end(shared: &Arc<Shared>, cookie: &str, next: Option<&Url>) -> Response {
    let frames = logout::end(shared, cookie).await;
    let mut response = gone_on(shared, &frames, next);
    shared.sso_cookie.forget(&mut response);
    response
}

/// To where the app wants the browser, once its frames are loaded.
fn gone_on(shared: &Shared, frames: &[Frame], next: Option<&Url>) -> Response {
    for frame in frames {
        shared.journal.note(Event::FrontChannelShown {
            client: frame.client.clone(),
        });
    }
    match next {
        Some(next) if frames.is_empty() => http::see_other(next),
        _ => pages::signed_out(frames, next),
    }
}

fn hint(shared: &Shared, parameters: &Parameters) -> Result<Option<IdTokenHint>, PageError> {
    let Some(token) = parameters.value("id_token_hint") else {
        return Ok(None);
    };
    let hint = IdTokenHint::open(shared, token);
    let hint = hint.ok_or(PageError::request(
        "Its id_token_hint is no ID token of this provider.",
    ))?;
    Ok(Some(hint))
}

/// Returns the URL at which the browser continues, which must be registered for the client.
fn next(
    shared: &Shared,
    parameters: &Parameters,
    hint: Option<&IdTokenHint>,
) -> Result<Option<Url>, PageError> {
    let hinted = hint.map(|hint| hint.aud.as_str());
    let named = parameters.value("client_id");
    if let (Some(hinted), Some(named)) = (hinted, named)
        && hinted != named
    {
        return Err(PageError::request(
            "Its id_token_hint was issued to another client than it names.",
        ));
    }
    let client = hinted.or(named).map(|id| shared.clients.client(id));
    if let Some(None) = client {
        return Err(PageError::request("Its client_id is not registered here."));
    }
    let Some(uri) = parameters.value("post_logout_redirect_uri") else {
        return Ok(None);
    };
    if !client
        .flatten()
        .is_some_and(|client| client.signs_out_to(uri))
    {
        return Err(PageError::request(
            "Its post_logout_redirect_uri is not registered for a client that it names.",
        ));
    }
    let mut next = Url::parse(uri)
        .map_err(|_| PageError::request("Its post_logout_redirect_uri is no URI."))?;
    if let Some(state) = parameters.value("state") {
        next.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(next))
}

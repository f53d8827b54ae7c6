use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};
use url::form_urlencoded::byte_serialize;

use super::{
    authorize, ending,
    events::Event,
    form::Parameters,
    pages::PageError,
    random::random_text,
    same_origin::is_same_origin,
    sessions::Session,
    shared::{Shared, now},
    sso_cookie,
};

const LONGEST_NAME: usize = 64;

/// `POST /sign-in`: the form that asks for a name.
pub(super) async fn submitted(
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
    let mut response = authorize::grant(&shared, &request, &cookie)?;
    sso_cookie::set(&shared, &mut response, &cookie);
    Ok(response)
}

/// Begins a session under a new cookie. It takes over from that of the same user in this browser; another user's ends.
async fn begin(shared: &Arc<Shared>, headers: &HeaderMap, name: &str) -> Result<String, PageError> {
    let (cookie, sid) = (random_text()?, random_text()?);
    let subject: String = byte_serialize(name.as_bytes()).collect();
    let mut session = Session {
        name: name.to_owned(),
        subject,
        auth_time: now(),
        sid,
        participants: BTreeSet::new(),
    };
    if let Some(earlier_cookie) = sso_cookie::read(shared, headers) {
        let is_another = {
            let mut sessions = shared.sessions();
            let earlier = sessions.of(&earlier_cookie);
            let is_another = earlier.is_some_and(|earlier| earlier.subject != session.subject);
            if !is_another && let Some(earlier) = sessions.end(&earlier_cookie) {
                session.participants = earlier.participants;
                if shared.settings.keeps_sid {
                    session.sid = earlier.sid;
                }
            }
            is_another
        };
        if is_another {
            ending::end(shared, &earlier_cookie).await;
        }
    }
    shared.sessions().begin(cookie.clone(), session);
    Ok(cookie)
}

use std::future::ready;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use token_cache_core::{Error, Scope, Session};

use crate::{
    Cause, EndedScope, Ends, SignOutRoutes,
    answer::answer,
    end_session::EndSession,
    evictions::{Eviction, Fate},
    held::{Held, opens_nothing},
    id_token_hint::IdTokenHint,
    later_revocation::LaterRevocation,
    leaving::Leaving,
    page::Page,
    query,
    same_site::{Asked, who_asks},
};

impl SignOutRoutes {
    /// The app's own sign-out (OpenID Connect RP-Initiated Logout 1.0): what [`LOG_OUT`](crate::paths::LOG_OUT) answers.
    ///
    /// In this order: the session's ID token is read, the sessions end on every server (G1), the ticket is dropped, the browser is
    /// sent to the provider to sign out there as well, and the refresh token is revoked where that was asked for. A failed
    /// eviction is answered with 503, sends the browser nowhere and keeps the ticket (G4). A browser without a living session is
    /// sent to the provider all the same: its session there may live.
    ///
    /// A POST signs out if it comes from the app's own pages, which browsers say of it (`Sec-Fetch-Site`, `Origin`); another
    /// site's is answered with 403. A GET signs out if the user followed a link of the app's own, typed the address or opened it
    /// from another program; any other is answered with a page that has a button. So no other site signs a user out, and a form
    /// needs no token against it.
    pub async fn log_out(&self, request: &Parts) -> Response<Bytes> {
        if !matches!(request.method, Method::GET | Method::HEAD | Method::POST) {
            return wrong_method("GET, POST");
        }
        match who_asks(request, &self.0.app_urls) {
            Asked::ByOurOwn => self.sign_out_and_leave(request).await,
            Asked::Perhaps => ask(),
            Asked::ByOthers => refused(),
        }
    }

    /// Where the browser comes back to from the provider: what [`SIGNED_OUT`](crate::paths::SIGNED_OUT) answers.
    ///
    /// The `state` must be the one that this browser was sent away with, and is good once. Nothing ends here: a foreign or a
    /// missing state is answered with 400.
    pub fn signed_out(&self, request: &Parts) -> Response<Bytes> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return wrong_method("GET");
        }
        let confirmed = match (&self.0.state, query::single(&request.uri, "state")) {
            (Some(cookie), Ok(Some(state))) if cookie.confirms(&request.headers, &state) => cookie,
            _ => return unconfirmed(),
        };
        let mut answer = redirect(&self.0.after);
        set_cookie(&mut answer, Some(confirmed.removal()));
        answer
    }

    async fn sign_out_and_leave(&self, request: &Parts) -> Response<Bytes> {
        let session = match self.held(request).await {
            Ok(Held::Session(session)) => session,
            Ok(Held::Nothing | Held::Dead) => {
                return self.leave(request, self.leaving(None, None)).await;
            }
            Err(error) => return not_signed_out(&error),
        };
        // In a task of its own: a browser that goes away stops nothing of it (G4).
        let ending = tokio::spawn(self.clone().read_and_end(session.clone())).await;
        match ending.unwrap_or((None, Fate::Late)) {
            (hint, Fate::Ended) => {
                let leaving = self.leaving(Some(&session), hint.as_ref());
                self.leave(request, leaving).await
            }
            (_, Fate::Failed(error)) => not_signed_out(&error),
            (_, Fate::Late) => not_signed_out_yet(),
        }
    }

    async fn read_and_end(self, session: Session) -> (Option<IdTokenHint>, Fate) {
        match IdTokenHint::of(&session).await {
            Ok(hint) => {
                let fate = self.end(session, hint.as_ref()).await;
                (hint, fate)
            }
            // A ticket of a session that is over names its account still, and must end nobody else's.
            Err(error) if opens_nothing(&error) => (None, Fate::Ended),
            // It was asked for and does not happen: the app hears of that too.
            Err(error) => {
                let fails = || ready(Err(error));
                (None, self.evict(None, self.eviction(None), fails).await)
            }
        }
    }

    async fn end(&self, session: Session, hint: Option<&IdTokenHint>) -> Fate {
        let scope = match self.0.ends {
            Ends::Account => Scope::AccountOf(session.clone()),
            Ends::ProviderSession => Scope::ProviderSessionOf(session.clone()),
            Ends::Session => Scope::Session(session.clone()),
        };
        let revoking = self.leaving(Some(&session), hint).revoking();
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        self.evict(None, self.eviction(hint), || async move {
            match revoking {
                None => cache.sign_out_with(scope, wait).await,
                Some((key, source)) => {
                    let source = LaterRevocation(source);
                    let signed_out = session.sign_out_and_revoke_with(scope, &key, source, wait);
                    // What is dropped here goes on in its own task.
                    signed_out.await.map(|(report, _)| report)
                }
            }
        })
        .await
    }

    fn eviction(&self, hint: Option<&IdTokenHint>) -> Eviction {
        Eviction {
            cause: Cause::RpInitiated,
            scope: match self.0.ends {
                Ends::Account => EndedScope::Account,
                Ends::ProviderSession => EndedScope::ProviderSession,
                Ends::Session => EndedScope::Session,
            },
            account: hint.and_then(IdTokenHint::account),
            provider_session: hint.and_then(IdTokenHint::provider_session),
        }
    }

    /// Drops the ticket, and sends the browser to the provider; or on, where the provider has no place to sign out at.
    async fn leave(&self, request: &Parts, leaving: Leaving<'_>) -> Response<Bytes> {
        let Leaving { client, hint, .. } = leaving;
        let end_session = match leaving.provider.end_session_endpoint().await {
            Ok(Some(endpoint)) => EndSession::at(&endpoint, client, hint).map(Some).ok(),
            Ok(None) => Some(None),
            Err(_) => None,
        };
        let mut answer = match end_session {
            Some(None) => redirect(&self.0.after),
            Some(Some(EndSession { url, state })) => {
                let mut answer = redirect(url.as_str());
                let state = state.zip(self.0.state.as_ref());
                set_cookie(&mut answer, state.map(|(state, cookie)| cookie.set(&state)));
                answer
            }
            None => signed_out_here_only(&self.0.after),
        };
        set_cookie(&mut answer, self.tickets().forget(request).await);
        answer
    }
}

#[expect(
    clippy::expect_used,
    reason = "a serialized URL and a checked path are visible ASCII"
)]
fn redirect(to: &str) -> Response<Bytes> {
    let mut answer = answer(StatusCode::SEE_OTHER, Bytes::new());
    let mut to = HeaderValue::from_str(to).expect("a URL of visible ASCII");
    // The ID token may be in it.
    to.set_sensitive(true);
    answer.headers_mut().insert(header::LOCATION, to);
    answer
}

pub(crate) fn set_cookie(answer: &mut Response<Bytes>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

pub(crate) fn wrong_method(allowed: &'static str) -> Response<Bytes> {
    let mut answer = answer(StatusCode::METHOD_NOT_ALLOWED, Bytes::new());
    let allowed = HeaderValue::from_static(allowed);
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

fn ask() -> Response<Bytes> {
    let text = "This signs you out here, and in every app that shares this sign-in.";
    let mut page = Page::new(StatusCode::OK, "Sign out?", text);
    page.button = Some("Sign out");
    page.answer()
}

fn refused() -> Response<Bytes> {
    let text = "Another site asked to sign you out. You are still signed in.";
    Page::new(StatusCode::FORBIDDEN, "Not signed out", text).answer()
}

fn not_signed_out(error: &Error) -> Response<Bytes> {
    let text = if error.may_have_applied() {
        "You may still be signed in here: what became of your sign-out is not known. Please try again."
    } else {
        "You are still signed in here: your sign-out could not be carried out. Please try again."
    };
    again("Not signed out", text, error.is_retryable())
}

fn not_signed_out_yet() -> Response<Bytes> {
    let text = "Your sign-out is still being carried out. Please try again in a moment.";
    again("Not signed out yet", text, true)
}

/// The button repeats the request: nothing has ended for sure.
fn again(title: &str, text: &str, soon: bool) -> Response<Bytes> {
    let mut page = Page::new(StatusCode::SERVICE_UNAVAILABLE, title, text);
    page.button = Some("Sign out");
    let mut answer = page.answer();
    if soon {
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

fn signed_out_here_only(after: &str) -> Response<Bytes> {
    let text = "You are signed out here. The identity provider could not be reached, so you may still be signed in there.";
    let mut page = Page::new(StatusCode::OK, "Signed out here", text);
    page.link = Some((after, "Go on"));
    page.answer()
}

fn unconfirmed() -> Response<Bytes> {
    let text =
        "This does not belong to a sign-out that was begun in this browser. Nothing was changed.";
    Page::new(StatusCode::BAD_REQUEST, "Not confirmed", text).answer()
}

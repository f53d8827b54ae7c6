use std::future::ready;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use token_cache_core::{Error, Session, SignOutScope, telemetry::warn};

use crate::{
    Cause, EndedScope, Ends, SignOutRoutes,
    answer::answer,
    deferred_revocation::DeferredRevocation,
    end_session::EndSession,
    evictions::{Eviction, Fate},
    held::{Held, is_unreadable, opens_nothing},
    id_token_hint::IdTokenHint,
    leaving::Leaving,
    page::Page,
    paths::LOG_OUT,
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
    /// A ticket that this server cannot read, such as one under a retired key, is dropped, so that it does not lock the browser out. The
    /// answer is 503 with a page that says that the session was not ended, and a link to the provider. The hook is told of the failure.
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

    /// The page to which the provider sends the browser back: what [`SIGNED_OUT`](crate::paths::SIGNED_OUT) answers.
    ///
    /// With a `state` that this browser was sent away with, the answer is a redirect to the path
    /// [after the sign-out](crate::SignOutRoutesBuilder::after_sign_out). Each tab has a state of its own, which is good once.
    ///
    /// Without one, the answer is what is true of this browser, since several providers send no `state` back: a page that says that it is
    /// signed out, or that it is still signed in, or 503 if that cannot be told (G4). A browser that was sent away and comes back signed
    /// out, without any `state`, is redirected as well. Nothing ends here.
    pub async fn signed_out(&self, request: &Parts) -> Response<Bytes> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return wrong_method("GET");
        }
        let state = query::single(&request.uri, "state")
            .map(|state| state.filter(|state| !state.is_empty()));
        if let (Some(cookies), Ok(Some(state))) = (&self.0.state, &state)
            && matches!(cookies.read(request, state), Ok(Some(_)))
        {
            let mut answer = redirect(&self.0.after);
            set_cookie(&mut answer, cookies.removal(state));
            return answer;
        }
        let was_sent_away = || {
            let cookies = self.0.state.as_ref();
            cookies.is_some_and(|cookies| cookies.has_any(request))
        };
        match self.held_and_living(request).await {
            Ok(Held::Session(_)) => still_signed_in(&self.0.after),
            Ok(Held::Nothing | Held::Dead(_)) if state == Ok(None) && was_sent_away() => {
                redirect(&self.0.after)
            }
            Ok(Held::Nothing | Held::Dead(_)) => not_signed_in(&self.0.after),
            Err(error) => {
                warn(
                    "session_not_checked",
                    format_args!("the page after a sign-out was answered with 503: {error}"),
                );
                not_known(&error)
            }
        }
    }

    async fn sign_out_and_leave(&self, request: &Parts) -> Response<Bytes> {
        let session = match self.held(request).await {
            Ok(Held::Session(session)) => session,
            Ok(Held::Nothing | Held::Dead(_)) => {
                return self.leave(request, self.leaving(None, None)).await;
            }
            Err(error) if is_unreadable(&error) => {
                return self.drop_unreadable(request, error).await;
            }
            Err(error) => {
                let fate = self.not_begun(error).await;
                return match fate {
                    Fate::Failed(error) => not_signed_out(&error),
                    _ => not_signed_out_yet(),
                };
            }
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
            Err(error) => (None, self.not_begun(error).await),
        }
    }

    /// A sign-out that was asked for and does not happen: the app hears of that too.
    async fn not_begun(&self, error: Error) -> Fate {
        let fails = || ready(Err(error));
        self.evict(None, self.eviction(None), fails).await
    }

    /// A ticket that this server cannot read, and will not: its session cannot be ended here. The browser is not locked out by it, and is
    /// told what was done and what was not.
    async fn drop_unreadable(&self, request: &Parts, error: Error) -> Response<Bytes> {
        warn(
            "sign_out_without_session",
            format_args!("a sign-out dropped its ticket and ended no session: {error}"),
        );
        let _ = self.not_begun(error).await;
        let leaving = self.leaving(None, None);
        let end_session = match leaving.provider.end_session_endpoint().await {
            Ok(Some(endpoint)) => EndSession::at(&endpoint, leaving.client, None).ok(),
            Ok(None) | Err(_) => None,
        };
        let mut answer = dropped_only(end_session.as_ref().map(|there| there.url.as_str()));
        let state = end_session.and_then(|there| there.state);
        self.keep_state(request, &mut answer, state.as_deref());
        set_cookie(&mut answer, self.tickets().forget(request).await);
        answer
    }

    /// Has the browser keep the `state` that it is sent to the provider with.
    fn keep_state(&self, request: &Parts, answer: &mut Response<Bytes>, state: Option<&str>) {
        if let (Some(state), Some(cookies)) = (state, &self.0.state) {
            // A state of ours, and an empty value, fit a cookie.
            for cookie in cookies.set(request, state, "").unwrap_or_default() {
                set_cookie(answer, Some(cookie));
            }
        }
    }

    async fn end(&self, session: Session, hint: Option<&IdTokenHint>) -> Fate {
        let scope = match self.0.ends {
            Ends::Account => SignOutScope::AccountOf(session.clone()),
            Ends::ProviderSession => SignOutScope::ProviderSessionOf(session.clone()),
            Ends::Session => SignOutScope::Session(session.clone()),
        };
        let revoking = self.leaving(Some(&session), hint).revoking();
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        self.evict(None, self.eviction(hint), || async move {
            match revoking {
                None => cache.sign_out_with(scope, wait).await,
                Some((key, source)) => {
                    let source = DeferredRevocation(source);
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
                self.keep_state(request, &mut answer, state.as_deref());
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

fn dropped_only(at_provider: Option<&str>) -> Response<Bytes> {
    let text = "This browser has forgotten its sign-in. This server could not read it, so it could not end the session: the session ends \
                by itself when its time is over, or when you sign out at the identity provider, if that provider tells this app.";
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut page = Page::new(status, "Forgotten, but not signed out", text);
    page.link = at_provider.map(|url| (url, "Sign out at the identity provider"));
    page.answer()
}

fn not_signed_in(after: &str) -> Response<Bytes> {
    let text = "You are not signed in to this app in this browser. (This address belongs to no sign-out that this browser waits for.)";
    let mut page = Page::new(StatusCode::OK, "Signed out", text);
    page.link = Some((after, "Continue"));
    page.answer()
}

fn still_signed_in(after: &str) -> Response<Bytes> {
    let text = "You are signed in to this app in this browser. This address belongs to no sign-out of this session, and nothing was \
                changed.";
    let mut page = Page::new(StatusCode::OK, "Still signed in", text);
    page.button = Some("Sign out");
    // Beside this page, wherever the routes are nested.
    page.action = Some(LOG_OUT.trim_start_matches('/'));
    page.link = Some((after, "Continue"));
    page.answer()
}

fn not_known(error: &Error) -> Response<Bytes> {
    let text = "This server cannot tell now whether you are signed in. Please try again.";
    let mut answer = Page::new(StatusCode::SERVICE_UNAVAILABLE, "Not known", text).answer();
    if error.is_retryable() {
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

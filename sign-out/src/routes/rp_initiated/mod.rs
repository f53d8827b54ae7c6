mod end_session;
mod id_token;
mod logout_target;
mod pages;

use std::future::ready;

use bytes::Bytes;
use http::{Method, Response, request::Parts};
use token_cache_core::{Error, Session, telemetry::warn, util::detached::run_detached};
use tokio::runtime::Handle;

pub use self::id_token::id_token_key;
use self::{
    end_session::EndSessionRequest,
    id_token::SessionIdToken,
    logout_target::{DeferredRevocation, LogoutTarget},
    pages::{
        confirmation_page, cross_origin_page, failure_page, local_only_page, pending_page,
        removed_ticket_page, signed_out_page, still_signed_in_page, unknown_page,
    },
};
use super::{
    SignOutRoutes,
    event::SignOutCause,
    request_session::{RequestSession, is_ended, is_unreadable_ticket},
    sign_out_task::{Outcome, SignOutDetails},
};
use crate::{
    csrf::{RequestSource, origin},
    http::{method_not_allowed, query_parameter, redirect, set_cookie},
};

impl SignOutRoutes {
    /// Handles the app's own sign-out (OpenID Connect RP-Initiated Logout 1.0). Serve it at
    /// [`LOGOUT`](crate::paths::LOGOUT).
    ///
    /// The request's ticket names a session. [`SignOutRoutesBuilder::scope`](crate::SignOutRoutesBuilder::scope)
    /// selects which sessions end with it: by default every session of its account, in every browser. These are the
    /// steps:
    /// 1. Read the session's ID token, if the app stored it under [`id_token_key`](crate::id_token_key).
    /// 2. End the sessions on every server. The sign-out is then final (G1), unless
    ///    [`wait`](crate::SignOutRoutesBuilder::wait) is set to [`Wait::None`](token_cache_core::Wait::None).
    /// 3. Remove the ticket from the browser.
    /// 4. Redirect the browser to the provider (303), to sign the user out there too.
    /// 5. Revoke the refresh token in the background, if a client is configured with
    ///    [`revoke_on_sign_out`](crate::ClientRegistration::revoke_on_sign_out). A failed revocation is logged and does
    ///    not change the response.
    ///
    /// The response is
    /// - 303 to the provider's logout page. With several clients, the stored ID token or the issuer of the session's
    ///   account determines the provider. A browser without a live session is redirected too, because its session at
    ///   the provider may be live.
    /// - 303 to [`after_sign_out`](crate::SignOutRoutesBuilder::after_sign_out) if the provider has no logout endpoint.
    /// - 200 if the sessions have ended, but the provider's discovery document cannot be read now. The page says that
    ///   the user may still be signed in at the provider.
    /// - 503 if the sessions cannot be ended, or not within the [timeout](crate::Timeouts::sign_out). The browser is
    ///   not redirected, the ticket is not removed, and the page has a button to try again. A failed sign-out is never
    ///   reported as done (G4).
    /// - 503 if this server cannot read the ticket, such as one under a retired key. The ticket is removed, so that the
    ///   browser is not locked out. The page says that the session was not ended, and links to the provider's logout
    ///   page if its URL is known. The function of [`on_sign_out`](crate::SignOutRoutesBuilder::on_sign_out) receives
    ///   the error.
    /// - 405 if the method is not GET, HEAD or POST.
    ///
    /// # Requests of other sites
    /// No other site can sign a user out, and forms need no CSRF token. The origin of a request comes from
    /// `Sec-Fetch-Site`. If an older browser does not send it, the origin comes from `Origin` (POST) or `Referer`
    /// (GET).
    ///
    /// - A POST request of the app's own origin, or one that the user caused directly, signs the user out. So does a
    ///   POST request without `Sec-Fetch-Site` and `Origin`, such as one of a program.
    /// - A POST request of another origin is answered with 403. Another subdomain counts as another origin.
    /// - A GET request signs the user out if the user followed a link of the app, typed the URL or opened it from
    ///   another program.
    /// - Any other GET request, and every HEAD request, is answered with a confirmation page (200) and ends nothing.
    ///   Examples are a prefetch, an image, a link on another site, and a request without `Sec-Fetch-Site` and
    ///   `Referer`.
    pub async fn logout(&self, request: &Parts) -> Response<Bytes> {
        if !matches!(request.method, Method::GET | Method::HEAD | Method::POST) {
            return method_not_allowed("GET, POST");
        }
        match origin(request, &self.0.app_urls) {
            RequestSource::SameOrigin => self.sign_out_and_redirect(request).await,
            RequestSource::Unknown => confirmation_page(),
            RequestSource::CrossOrigin => cross_origin_page(),
        }
    }

    /// Handles the return of the browser from the provider's logout page. Serve it at
    /// [`POST_LOGOUT_REDIRECT`](crate::paths::POST_LOGOUT_REDIRECT). It ends no session.
    ///
    /// The parameter `state` of the request tells which sign-out the browser returns from. [`logout`](Self::logout)
    /// stores it in a cookie for ten minutes, one for each sign-out. If the browser returns later, it counts as one
    /// without a cookie.
    ///
    /// The response is
    /// - 303 to the path of [`after_sign_out`](crate::SignOutRoutesBuilder::after_sign_out), if this browser has a
    ///   cookie for the `state`. The cookie is removed, so each `state` is valid once.
    /// - 303 to that path also without a `state`, if this browser started a sign-out and is signed out. Several
    ///   providers send no `state` back.
    /// - 200 otherwise, with a page that says whether this browser is signed in.
    /// - 503 if it cannot be checked whether the browser is signed in. A failed check is never reported as signed out
    ///   (G4).
    /// - 405 if the method is not GET or HEAD.
    pub async fn post_logout_redirect(&self, request: &Parts) -> Response<Bytes> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return method_not_allowed("GET");
        }
        let state = query_parameter(&request.uri, "state")
            .map(|state| state.filter(|state| !state.is_empty()));
        if let (Some(cookies), Ok(Some(state))) = (&self.0.state, &state)
            && matches!(cookies.read(request, state), Ok(Some(_)))
        {
            let mut response = redirect(&self.0.after);
            set_cookie(&mut response, cookies.removal(state));
            return response;
        }
        let was_sent_away = || {
            let cookies = self.0.state.as_ref();
            cookies.is_some_and(|cookies| cookies.has_any(request))
        };
        match self.live_session(request).await {
            Ok(RequestSession::Live(_)) => still_signed_in_page(&self.0.after),
            Ok(RequestSession::None | RequestSession::Ended(_))
                if state == Ok(None) && was_sent_away() =>
            {
                redirect(&self.0.after)
            }
            Ok(RequestSession::None | RequestSession::Ended(_)) => signed_out_page(&self.0.after),
            Err(error) => {
                warn(
                    "session_not_checked",
                    format_args!("the page after a sign-out was answered with 503: {error}"),
                );
                unknown_page(&error)
            }
        }
    }

    async fn sign_out_and_redirect(&self, request: &Parts) -> Response<Bytes> {
        let session = match self.unchecked_session(request).await {
            Ok(RequestSession::Live(session)) => session,
            Ok(RequestSession::None | RequestSession::Ended(_)) => {
                return self
                    .redirect_to_provider(request, self.logout_target(None, None))
                    .await;
            }
            Err(error) if is_unreadable_ticket(&error) => {
                return self.remove_unreadable_ticket(request, error).await;
            }
            Err(error) => {
                let outcome = self.report_failure(error).await;
                return match outcome {
                    Outcome::Failed(error) => failure_page(&error),
                    _ => pending_page(),
                };
            }
        };
        // A separate task continues when the browser disconnects (G4).
        let ending = self.clone().read_id_token_and_sign_out(session.clone());
        let ending = run_detached(&Handle::current(), ending).await;
        match ending.unwrap_or((None, Outcome::Pending)) {
            (hint, Outcome::Ended) => {
                let target = self.logout_target(Some(&session), hint.as_ref());
                self.redirect_to_provider(request, target).await
            }
            (_, Outcome::Failed(error)) => failure_page(&error),
            (_, Outcome::Pending) => pending_page(),
        }
    }

    async fn read_id_token_and_sign_out(
        self,
        session: Session,
    ) -> (Option<SessionIdToken>, Outcome) {
        match SessionIdToken::read(&session).await {
            Ok(hint) => {
                let outcome = self.sign_out_session(session, hint.as_ref()).await;
                (hint, outcome)
            }
            // A ticket of an ended session still names its account, and must not end the account's other sessions.
            Err(error) if is_ended(&error) => (None, Outcome::Ended),
            Err(error) => (None, self.report_failure(error).await),
        }
    }

    /// Reports a requested sign-out that did not happen to the app's hook.
    async fn report_failure(&self, error: Error) -> Outcome {
        let fails = ready(Err(error));
        self.run_sign_out(self.details(None), fails).await
    }

    /// Removes a ticket that this server cannot read. The session cannot be ended here, and the page says so.
    async fn remove_unreadable_ticket(&self, request: &Parts, error: Error) -> Response<Bytes> {
        warn(
            "sign_out_without_session",
            format_args!("a sign-out removed its ticket and ended no session: {error}"),
        );
        let _ = self.report_failure(error).await;
        let target = self.logout_target(None, None);
        let end_session = match target.provider.end_session_endpoint().await {
            Ok(Some(endpoint)) => EndSessionRequest::new(&endpoint, target.client, None).ok(),
            Ok(None) | Err(_) => None,
        };
        let mut response = removed_ticket_page(end_session.as_ref().map(|to| to.url.as_str()));
        let state = end_session.and_then(|to| to.state);
        self.set_state_cookie(request, &mut response, state.as_deref());
        set_cookie(&mut response, self.ticket_source().remove(request).await);
        response
    }

    /// Stores the `state` of the logout request in a cookie.
    fn set_state_cookie(
        &self,
        request: &Parts,
        response: &mut Response<Bytes>,
        state: Option<&str>,
    ) {
        if let (Some(state), Some(cookies)) = (state, &self.0.state) {
            // A generated state and an empty value always fit a cookie.
            for cookie in cookies.set(request, state, "").unwrap_or_default() {
                set_cookie(response, Some(cookie));
            }
        }
    }

    async fn sign_out_session(&self, session: Session, hint: Option<&SessionIdToken>) -> Outcome {
        let revocation = self.logout_target(Some(&session), hint).revocation();
        let (scope, wait) = (self.0.scope, self.0.wait);
        self.run_sign_out(self.details(hint), async move {
            match revocation {
                None => session.sign_out_with(scope, wait).await,
                Some((key, source)) => {
                    let source = DeferredRevocation(source);
                    let signed_out = session.sign_out_and_revoke_with(scope, &key, source, wait);
                    // The dropped revocation continues in its own task.
                    signed_out.await.map(|(report, _)| report)
                }
            }
        })
        .await
    }

    fn details(&self, hint: Option<&SessionIdToken>) -> SignOutDetails {
        SignOutDetails {
            cause: SignOutCause::RpInitiated,
            scope: self.0.scope,
            account: hint.and_then(SessionIdToken::account),
            provider_session: hint.and_then(SessionIdToken::provider_session),
        }
    }

    /// Removes the ticket and redirects the browser to the provider, or to the app's own page if the provider has no
    /// logout endpoint.
    async fn redirect_to_provider(
        &self,
        request: &Parts,
        target: LogoutTarget<'_>,
    ) -> Response<Bytes> {
        let LogoutTarget { client, hint, .. } = target;
        let end_session = match target.provider.end_session_endpoint().await {
            Ok(Some(endpoint)) => EndSessionRequest::new(&endpoint, client, hint)
                .map(Some)
                .ok(),
            Ok(None) => Some(None),
            Err(_) => None,
        };
        let mut response = match end_session {
            Some(None) => redirect(&self.0.after),
            Some(Some(EndSessionRequest { url, state })) => {
                let mut response = redirect(url.as_str());
                self.set_state_cookie(request, &mut response, state.as_deref());
                response
            }
            None => local_only_page(&self.0.after),
        };
        set_cookie(&mut response, self.ticket_source().remove(request).await);
        response
    }
}

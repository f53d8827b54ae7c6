use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, request::Parts};
use token_cache_core::{AccountId, ProviderSid, Session, SignOutScope, SignOutScopeKind};
use url::Url;

use super::{
    SignOutRoutes,
    event::SignOutCause,
    report,
    request_session::RequestSession,
    sign_out_task::{Outcome, SignOutDetails},
};
use crate::{
    client::{ClientRegistration, FrontChannelParameters},
    config::ConfigError,
    csrf::is_frame,
    http::{html, method_not_allowed, query_parameter, retry_soon, set_cookie},
};

/// The text of a successful response. It does not depend on whether a session matched, because anyone can send the
/// request.
const ENDED: &str = "If this app had a session under that sign-in, it has ended.";

/// The sessions that a front-channel request names.
enum Target {
    ProviderSession(ProviderSid),
    /// The user whose `sub` the provider sends as `sid`.
    Account(AccountId),
    /// The session of the browser's ticket. The request has neither `iss` nor `sid`.
    Ticket,
}

/// An invalid request: its issuer, if it is one of this app's, and the text of the response.
struct InvalidRequest<'a>(Option<&'a str>, &'static str);

impl SignOutRoutes {
    /// Handles a provider's front-channel logout request, which the browser loads in an iframe of the provider's page
    /// (OpenID Connect Front-Channel Logout 1.0). Serve it at
    /// [`FRONT_CHANNEL_LOGOUT`](crate::paths::FRONT_CHANNEL_LOGOUT).
    ///
    /// The request names a session of the provider by the parameters `iss` and `sid`. It ends the app's sessions with
    /// this `sid` on every server (G1). Cookies are not needed, since browsers send none to a frame of another site.
    ///
    /// A request with other parameters is accepted if [`ClientRegistration::front_channel_parameters`] allows them, and
    /// [`FrontChannelParameters`] says which sessions it ends. Otherwise it is answered with 400.
    ///
    /// Anyone can send such a request, since it is not authenticated. So a request with `iss` and the provider's `sid`
    /// ends only the sessions with this `sid`. It does so even if the cache is set to
    /// [`SidMeaning::Account`](token_cache_core::SidMeaning::Account), with which a logout token with a `sid` ends
    /// whole accounts. A later sign-in with the same `sid` is accepted.
    ///
    /// The response is
    /// - 200 if the sessions have ended. The text is the same whether a session existed or not.
    /// - 400 if the parameters are not accepted, such as a `sid` without `iss`. The page and the log state the reason.
    /// - 405 if the method is not GET.
    /// - 503 with `Retry-After` if the sessions may not have ended, or if 1,000 sign-outs by such requests are running.
    pub async fn front_channel_logout(&self, request: &Parts) -> Response<Bytes> {
        if request.method != Method::GET {
            return method_not_allowed("GET");
        }
        match self.target(request) {
            Ok(Target::ProviderSession(session)) => self.sign_out_provider_session(session).await,
            Ok(Target::Account(account)) => self.sign_out_account(account).await,
            Ok(Target::Ticket) => self.sign_out_ticket(request).await,
            Err(InvalidRequest(issuer, why)) => {
                report::refused(SignOutCause::FrontChannel, issuer, &why);
                self.framed_page(StatusCode::BAD_REQUEST, why)
            }
        }
    }

    fn target(&self, request: &Parts) -> Result<Target, InvalidRequest<'_>> {
        let single = |name, message| {
            query_parameter(&request.uri, name).map_err(|_| InvalidRequest(None, message))
        };
        let issuer = single("iss", "There is more than one iss.")?;
        let sid = single("sid", "There is more than one sid.")?;
        // An empty `sid` counts as absent.
        let sid = sid.filter(|sid| !sid.is_empty());
        let client = match &issuer {
            None => None,
            Some(issuer) => Some(self.client_of(issuer)?),
        };
        let issuer = client.map(|client| client.issuer.as_str());
        let (client, sid) = match (client, sid) {
            (None, None) => return self.ticket_target(),
            (Some(_), None) => {
                return Err(InvalidRequest(issuer, "There is an iss without a sid."));
            }
            (Some(client), Some(sid)) => (client, sid),
            (None, Some(sid)) => (self.only_client()?, sid),
        };
        let target = if client.front_channel_parameters == FrontChannelParameters::SubjectAsSid {
            AccountId::new(&*client.issuer, sid).map(Target::Account)
        } else {
            ProviderSid::new(&*client.issuer, sid).map(Target::ProviderSession)
        };
        target.map_err(|_| InvalidRequest(issuer, "The sid is too long."))
    }

    /// Returns the issuer's client that uses [`FrontChannelParameters::SubjectAsSid`], or else its first client.
    fn client_of(&self, issuer: &str) -> Result<&ClientRegistration, InvalidRequest<'_>> {
        let of_issuer = || self.0.clients.iter().filter(|it| it.issuer == issuer);
        of_issuer()
            .find(|client| client.front_channel_parameters == FrontChannelParameters::SubjectAsSid)
            .or_else(|| of_issuer().next())
            .ok_or(InvalidRequest(
                None,
                "The iss is not a provider of this app.",
            ))
    }

    fn only_client(&self) -> Result<&ClientRegistration, InvalidRequest<'_>> {
        match self.0.clients.as_slice() {
            [client] if client.front_channel_parameters == FrontChannelParameters::SidOnly => {
                Ok(client)
            }
            _ => Err(InvalidRequest(
                None,
                "There is a sid without an iss. This app accepts that only from a client with FrontChannelParameters::SidOnly.",
            )),
        }
    }

    fn ticket_target(&self) -> Result<Target, InvalidRequest<'_>> {
        let is_accepted = |client: &ClientRegistration| {
            client.front_channel_parameters == FrontChannelParameters::None
        };
        if self.0.clients.iter().any(is_accepted) {
            return Ok(Target::Ticket);
        }
        Err(InvalidRequest(
            None,
            "There is neither an iss nor a sid. This app accepts that only from a client with FrontChannelParameters::None.",
        ))
    }

    async fn sign_out_provider_session(&self, session: ProviderSid) -> Response<Bytes> {
        let details = SignOutDetails {
            cause: SignOutCause::FrontChannel,
            scope: SignOutScopeKind::ProviderSession,
            account: None,
            provider_session: Some(session.clone()),
        };
        self.sign_out_unauthenticated(details, SignOutScope::ProviderSession(session))
            .await
    }

    async fn sign_out_account(&self, account: AccountId) -> Response<Bytes> {
        let details = SignOutDetails {
            cause: SignOutCause::FrontChannel,
            scope: SignOutScopeKind::Account,
            account: Some(account.clone()),
            provider_session: None,
        };
        self.sign_out_unauthenticated(details, SignOutScope::Account(account))
            .await
    }

    /// Signs out by an unauthenticated request. Anyone can send such requests and disconnect, so the number of running
    /// ones is limited.
    async fn sign_out_unauthenticated(
        &self,
        details: SignOutDetails,
        scope: SignOutScope,
    ) -> Response<Bytes> {
        let Ok(permit) = Arc::clone(&self.0.unauthenticated).try_acquire_owned() else {
            return self.failed();
        };
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let outcome = self.run_sign_out(details, async move {
            let _permit = permit;
            cache.sign_out_with(scope, wait).await
        });
        self.response_to(&outcome.await)
    }

    async fn sign_out_ticket(&self, request: &Parts) -> Response<Bytes> {
        if !is_frame(request) {
            // A link on another site sends the cookie too, as an image in a comment on this site does. It would sign
            // the user out.
            let why = "This is for a frame of the identity provider.";
            report::refused(SignOutCause::FrontChannel, None, &why);
            return self.framed_page(StatusCode::BAD_REQUEST, why);
        }
        let session = match self.unchecked_session(request).await {
            Ok(RequestSession::Live(session)) => session,
            Ok(RequestSession::None | RequestSession::Ended(_)) => return self.ended(),
            Err(_) => return self.failed(),
        };
        let outcome = self.sign_out_ticket_session(session).await;
        let mut response = self.response_to(&outcome);
        if let Outcome::Ended = outcome {
            set_cookie(&mut response, self.ticket_source().remove(request).await);
        }
        response
    }

    async fn sign_out_ticket_session(&self, session: Session) -> Outcome {
        let details = SignOutDetails {
            cause: SignOutCause::FrontChannel,
            scope: SignOutScopeKind::Session,
            account: None,
            provider_session: None,
        };
        let wait = self.0.wait;
        let work = async move { session.sign_out_with(SignOutScopeKind::Session, wait).await };
        self.run_sign_out(details, work).await
    }

    fn response_to(&self, outcome: &Outcome) -> Response<Bytes> {
        match outcome {
            Outcome::Ended => self.ended(),
            Outcome::Failed(_) | Outcome::Pending => self.failed(),
        }
    }

    fn ended(&self) -> Response<Bytes> {
        self.framed_page(StatusCode::OK, ENDED)
    }

    fn failed(&self) -> Response<Bytes> {
        let mut response = self.framed_page(
            StatusCode::SERVICE_UNAVAILABLE,
            "The sign-out could not be carried out; please try again.",
        );
        retry_soon(&mut response);
        response
    }

    /// Returns a page that only the providers' pages may frame.
    fn framed_page(&self, status: StatusCode, text: &'static str) -> Response<Bytes> {
        let page = format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Sign-out</title>\n<p>{text}</p>\n"
        );
        html(status, &page, self.0.frame_policy.clone())
    }
}

/// Returns the `Content-Security-Policy` of a page that only these clients' providers may frame. Allowed are the
/// origins of the issuers and of the logout pages.
pub(crate) fn frame_policy(clients: &[ClientRegistration]) -> Result<HeaderValue, ConfigError> {
    let mut origins: Vec<String> = clients
        .iter()
        .flat_map(|client| [Some(&client.issuer), client.end_session_endpoint.as_ref()])
        .flatten()
        .filter_map(|url| Url::parse(url).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect();
    origins.sort_unstable();
    origins.dedup();
    let policy = format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors {}",
        origins.join(" ")
    );
    HeaderValue::try_from(policy)
        .map_err(|_| {
        ConfigError::new(format!(
            "the origins of the issuers are invalid in an HTTP header: {origins:?}; use ASCII host names"
        ))
    })
}

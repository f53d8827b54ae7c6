use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use token_cache_core::{ProviderSession, Scope, Session};

use crate::{
    Cause, EndedScope, SignOutRoutes,
    evictions::{Eviction, Fate},
    held::Held,
    page, query,
    rp_initiated::{set_cookie, wrong_method},
    same_site::is_frame,
};

/// What a front-channel request names.
enum Named {
    ProviderSession(ProviderSession),
    /// Neither `iss` nor `sid`: whatever the browser holds.
    TheBrowsers,
}

impl SignOutRoutes {
    /// The provider's sign-out by way of the user's browser, in an iframe of its page (OpenID Connect Front-Channel Logout 1.0):
    /// what [`FRONT_CHANNEL`](crate::paths::FRONT_CHANNEL) answers.
    ///
    /// The request names a session at the provider by `iss` and `sid`; the sessions begun under it end on every server (G1),
    /// whatever cookies came along: browsers send none to a frame of another site. It proves nothing about who sent it, so it ends
    /// no more than that and never an account, and a later sign-in under the same `sid` is welcome.
    ///
    /// With neither, it ends the session of the browser's ticket, if one came along, and no other; the browser must say that it is
    /// for a frame (`Sec-Fetch-Dest`), or a link on another site would do as well. 400 says what is wrong with
    /// the request; 503, that the eviction failed or goes on, or that a thousand others have yet to end.
    pub async fn front_channel(&self, request: &Parts) -> Response<Bytes> {
        if request.method != Method::GET {
            return wrong_method("GET");
        }
        match self.named(request) {
            Ok(Named::ProviderSession(session)) => self.end_provider_session(session).await,
            Ok(Named::TheBrowsers) => self.end_browsers(request).await,
            Err(wrong) => self.framed(StatusCode::BAD_REQUEST, wrong),
        }
    }

    fn named(&self, request: &Parts) -> Result<Named, &'static str> {
        let one = |name, otherwise| query::single(&request.uri, name).map_err(|_| otherwise);
        let issuer = one("iss", "There is more than one iss.")?;
        let sid = one("sid", "There is more than one sid.")?;
        let (issuer, sid) = match (issuer, sid) {
            (None, None) => return Ok(Named::TheBrowsers),
            (Some(_), None) => return Err("There is an iss without a sid."),
            (Some(issuer), Some(sid)) => (issuer, sid),
            (None, Some(sid)) => (self.only_issuer()?, sid),
        };
        if !self.0.clients.iter().any(|client| client.issuer == issuer) {
            return Err("The iss is no provider of this app.");
        }
        ProviderSession::new(issuer, sid)
            .map(Named::ProviderSession)
            .map_err(|_| "The sid is empty or too long.")
    }

    fn only_issuer(&self) -> Result<Cow<'_, str>, &'static str> {
        match self.0.clients.as_slice() {
            [client] if client.front_channel_without_issuer => Ok(Cow::from(&client.issuer)),
            _ => Err("There is a sid without an iss."),
        }
    }

    async fn end_provider_session(&self, session: ProviderSession) -> Response<Bytes> {
        // Anybody can make up a `sid`, and hang up: a slow store must not be owed more and more of them.
        let Ok(permit) = Arc::clone(&self.0.unproven).try_acquire_owned() else {
            return self.failed();
        };
        let eviction = Eviction {
            cause: Cause::FrontChannel,
            scope: EndedScope::ProviderSession,
            account: None,
            provider_session: Some(session.clone()),
        };
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let fate = self.evict(None, eviction, || async move {
            let _permit = permit;
            let scope = Scope::ProviderSession(session);
            cache.sign_out_with(scope, wait).await
        });
        self.answer_to(&fate.await)
    }

    async fn end_browsers(&self, request: &Parts) -> Response<Bytes> {
        if !is_frame(request) {
            // A link on another site carries the cookie along, as an image in a comment here does, and would sign the user out.
            return self.framed(
                StatusCode::BAD_REQUEST,
                "This is for a frame of the identity provider.",
            );
        }
        let session = match self.held(request).await {
            Ok(Held::Session(session)) => session,
            Ok(Held::Nothing | Held::Dead(_)) => return self.ended(),
            Err(_) => return self.failed(),
        };
        let fate = self.end_this(session).await;
        let mut answer = self.answer_to(&fate);
        if let Fate::Ended = fate {
            set_cookie(&mut answer, self.tickets().forget(request).await);
        }
        answer
    }

    async fn end_this(&self, session: Session) -> Fate {
        let eviction = Eviction {
            cause: Cause::FrontChannel,
            scope: EndedScope::Session,
            account: None,
            provider_session: None,
        };
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let scope = Scope::Session(session);
        let work = || async move { cache.sign_out_with(scope, wait).await };
        self.evict(None, eviction, work).await
    }

    fn answer_to(&self, fate: &Fate) -> Response<Bytes> {
        match fate {
            Fate::Ended => self.ended(),
            Fate::Failed(_) | Fate::Late => self.failed(),
        }
    }

    fn ended(&self) -> Response<Bytes> {
        self.framed(StatusCode::OK, "Signed out.")
    }

    fn failed(&self) -> Response<Bytes> {
        let mut answer = self.framed(
            StatusCode::SERVICE_UNAVAILABLE,
            "The sign-out could not be carried out; please try again.",
        );
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        answer
    }

    /// An answer that the providers' pages may frame, and no others.
    fn framed(&self, status: StatusCode, text: &'static str) -> Response<Bytes> {
        let html = format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Sign-out</title>\n<p>{text}</p>\n"
        );
        page::html(status, &html, self.0.framed_by.clone())
    }
}

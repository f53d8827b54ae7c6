use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use token_cache_core::{AccountId, ProviderSid, Session, SignOutScope};

use crate::{
    Cause, Client, EndedScope, FrontChannelNames, SignOutRoutes,
    evictions::{Eviction, Fate},
    held::Held,
    page, query, report,
    rp_initiated::{set_cookie, wrong_method},
    same_site::is_frame,
};

/// What the answer says. It is the same whether the request matched a session or not: anybody can ask.
const ENDED: &str = "If this app had a session under that sign-in, it has ended.";

/// What a front-channel request names.
enum Named {
    ProviderSession(ProviderSid),
    /// The user, by what the provider sends as the `sid`.
    Account(AccountId),
    /// Neither `iss` nor `sid`: the session of the browser's ticket.
    Ticket,
}

/// Why a request is not acted upon: the issuer that it names, if it is one of this app's, and what the page says.
struct Refused<'a>(Option<&'a str>, &'static str);

impl SignOutRoutes {
    /// The provider's sign-out by way of the user's browser, in an iframe of its page (OpenID Connect Front-Channel Logout 1.0):
    /// what [`FRONT_CHANNEL`](crate::paths::FRONT_CHANNEL) answers.
    ///
    /// The request names a session at the provider by `iss` and `sid`; the sessions begun under it end on every server (G1),
    /// with and without cookies: browsers send none to a frame of another site. It proves nothing about its sender, so it ends no
    /// more than that, also with
    /// [`sid_means_account`](token_cache_core::TokenCacheBuilder::sid_means_account), and a later sign-in under the same `sid` is
    /// accepted. Other forms of the request are accepted if [`Client::front_channel`] says so.
    ///
    /// The answer is
    /// - 200 if no session that the request names is left. Its text is the same whether there was one or not;
    /// - 400 for a request that names nothing here. The page and a log line say why;
    /// - 503 with `Retry-After` if the sessions may not have ended, or if a thousand such requests are under way.
    pub async fn front_channel(&self, request: &Parts) -> Response<Bytes> {
        if request.method != Method::GET {
            return wrong_method("GET");
        }
        match self.named(request) {
            Ok(Named::ProviderSession(session)) => self.end_provider_session(session).await,
            Ok(Named::Account(account)) => self.end_account(account).await,
            Ok(Named::Ticket) => self.end_browsers(request).await,
            Err(Refused(issuer, why)) => {
                report::refused(Cause::FrontChannel, issuer, &why);
                self.framed(StatusCode::BAD_REQUEST, why)
            }
        }
    }

    fn named(&self, request: &Parts) -> Result<Named, Refused<'_>> {
        let one = |name, otherwise| {
            query::single(&request.uri, name).map_err(|_| Refused(None, otherwise))
        };
        let issuer = one("iss", "There is more than one iss.")?;
        let sid = one("sid", "There is more than one sid.")?;
        // An empty one names nothing.
        let sid = sid.filter(|sid| !sid.is_empty());
        let client = match &issuer {
            None => None,
            Some(issuer) => Some(self.client_of(issuer)?),
        };
        let issuer = client.map(|client| client.issuer.as_str());
        let (client, sid) = match (client, sid) {
            (None, None) => return self.ticket_named(),
            (Some(_), None) => return Err(Refused(issuer, "There is an iss without a sid.")),
            (Some(client), Some(sid)) => (client, sid),
            (None, Some(sid)) => (self.only_client()?, sid),
        };
        let named = if client.front_channel == FrontChannelNames::SubjectAsSid {
            AccountId::new(&*client.issuer, sid).map(Named::Account)
        } else {
            ProviderSid::new(&*client.issuer, sid).map(Named::ProviderSession)
        };
        named.map_err(|_| Refused(issuer, "The sid is too long."))
    }

    /// The client of this issuer whose front-channel requests are of a form of their own, or else the first.
    fn client_of(&self, issuer: &str) -> Result<&Client, Refused<'_>> {
        let of_issuer = || self.0.clients.iter().filter(|it| it.issuer == issuer);
        of_issuer()
            .find(|client| client.front_channel == FrontChannelNames::SubjectAsSid)
            .or_else(|| of_issuer().next())
            .ok_or(Refused(None, "The iss is no provider of this app."))
    }

    fn only_client(&self) -> Result<&Client, Refused<'_>> {
        match self.0.clients.as_slice() {
            [client] if client.front_channel == FrontChannelNames::SidAlone => Ok(client),
            _ => Err(Refused(
                None,
                "There is a sid without an iss. This app accepts that only from a client with FrontChannelNames::SidAlone.",
            )),
        }
    }

    fn ticket_named(&self) -> Result<Named, Refused<'_>> {
        let is_accepted = |client: &Client| client.front_channel == FrontChannelNames::Nothing;
        if self.0.clients.iter().any(is_accepted) {
            return Ok(Named::Ticket);
        }
        Err(Refused(
            None,
            "There is neither an iss nor a sid. This app accepts that only from a client with FrontChannelNames::Nothing.",
        ))
    }

    async fn end_provider_session(&self, session: ProviderSid) -> Response<Bytes> {
        let eviction = Eviction {
            cause: Cause::FrontChannel,
            scope: EndedScope::ProviderSession,
            account: None,
            provider_session: Some(session.clone()),
        };
        self.end_unproven(eviction, SignOutScope::ProviderSession(session))
            .await
    }

    async fn end_account(&self, account: AccountId) -> Response<Bytes> {
        let eviction = Eviction {
            cause: Cause::FrontChannel,
            scope: EndedScope::Account,
            account: Some(account.clone()),
            provider_session: None,
        };
        self.end_unproven(eviction, SignOutScope::Account(account))
            .await
    }

    /// Ends what anybody can ask for. They can make it up, and hang up: a slow store must not be owed more and more of it.
    async fn end_unproven(&self, eviction: Eviction, scope: SignOutScope) -> Response<Bytes> {
        let Ok(permit) = Arc::clone(&self.0.unproven).try_acquire_owned() else {
            return self.failed();
        };
        let (cache, wait) = (self.cache().clone(), self.0.wait);
        let fate = self.evict(None, eviction, || async move {
            let _permit = permit;
            cache.sign_out_with(scope, wait).await
        });
        self.answer_to(&fate.await)
    }

    async fn end_browsers(&self, request: &Parts) -> Response<Bytes> {
        if !is_frame(request) {
            // A link on another site carries the cookie along, as an image in a comment here does, and would sign the user out.
            let why = "This is for a frame of the identity provider.";
            report::refused(Cause::FrontChannel, None, &why);
            return self.framed(StatusCode::BAD_REQUEST, why);
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
        let scope = SignOutScope::Session(session);
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
        self.framed(StatusCode::OK, ENDED)
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

use std::{net::Ipv4Addr, sync::Arc};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use crate::{
    caches::{CacheKind, ServerCaches},
    failure::{Denied, Failure},
    message::{FromServer, Registrations, Request, Response, ToServer},
    oidc::Discovered,
    steps::{App, Found, SignedIn, access_token},
    store_url::StoreUrl,
};

/// An app server, with one app for each kind of cache.
struct Server {
    token_cache: App,
    plain_cache: App,
    store: String,
}

/// An app server: answers requests, many at a time, until its inbox closes. It has its caches already, or is told which store to
/// open.
pub(crate) async fn serve(
    caches: Option<ServerCaches>,
    mut inbox: UnboundedReceiver<ToServer>,
    outbox: UnboundedSender<FromServer>,
) {
    // A caller that is gone needs no answer, here and below.
    match open(caches, &mut inbox, &outbox).await {
        Ok(server) => {
            let store = server.store.clone();
            let _ = outbox.send(FromServer::Ready { store });
            server.answer(inbox, &outbox).await;
        }
        Err(failure) => {
            let message = failure.to_string();
            let _ = outbox.send(FromServer::NotReady { message });
        }
    }
}

async fn open(
    caches: Option<ServerCaches>,
    inbox: &mut UnboundedReceiver<ToServer>,
    outbox: &UnboundedSender<FromServer>,
) -> Result<Server, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let _ = outbox.send(FromServer::Listening {
        origin: origin.clone(),
    });
    let Some(ToServer::Open {
        store,
        registrations,
    }) = inbox.recv().await
    else {
        return Err(Failure::new(
            "--server is for the demo's own use: it needs to be told which store to open",
        ));
    };
    let caches = match (caches, store) {
        (Some(caches), _) => caches,
        (None, Some(url)) => {
            ServerCaches::open(&StoreUrl::parse(&url).map_err(Failure::new)?).await?
        }
        (None, None) => return Err(Failure::new("an app server needs a store")),
    };
    let server = Server::new(&caches, &registrations, &origin).await?;
    let router = server.back_channels().await?;
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(server)
}

impl Server {
    async fn new(
        caches: &ServerCaches,
        registrations: &Registrations,
        origin: &str,
    ) -> Result<Self, Failure> {
        let app = async |kind| {
            // Learns from the provider where its endpoints are.
            let provider = Discovered::at(registrations.of(kind).clone()).await?;
            App::new(caches.cache(kind), Arc::new(provider), redirect_uri(origin))
        };
        Ok(Self {
            token_cache: app(CacheKind::TokenCache).await?,
            plain_cache: app(CacheKind::PlainCache).await?,
            store: caches.store(),
        })
    }

    async fn back_channels(&self) -> Result<Router, Failure> {
        let mut router = Router::new();
        for kind in [CacheKind::TokenCache, CacheKind::PlainCache] {
            let App {
                cache, provider, ..
            } = self.app(kind);
            let path = back_channel_path(kind);
            router = router.merge(cache.back_channel(provider, path).await?);
        }
        Ok(router)
    }

    fn app(&self, kind: CacheKind) -> &App {
        match kind {
            CacheKind::TokenCache => &self.token_cache,
            CacheKind::PlainCache => &self.plain_cache,
        }
    }

    async fn answer(
        self,
        mut inbox: UnboundedReceiver<ToServer>,
        outbox: &UnboundedSender<FromServer>,
    ) {
        while let Some(message) = inbox.recv().await {
            let ToServer::Request { id, kind, request } = message else {
                continue;
            };
            let (app, outbox) = (self.app(kind).clone(), outbox.clone());
            tokio::spawn(async move {
                let response = handle(&app, request).await;
                let response = response.or_else(|denied| match denied {
                    Denied::SignedOut => Ok(Response::Refused),
                    Denied::Failed(message) => Err(message),
                });
                let _ = outbox.send(FromServer::Response { id, response });
            });
        }
    }
}

/// Takes a step of the story on one server.
async fn handle(app: &App, request: Request) -> Result<Response, Denied> {
    Ok(match request {
        Request::StartSignIn { anew } => {
            let (url, cookie) = app.start_sign_in(anew)?;
            Response::Redirected {
                url: url.into(),
                cookie,
            }
        }
        Request::FinishSignIn {
            cookie,
            state,
            code,
        } => {
            if state != cookie.attempt.state {
                let message = "the provider's answer belongs to another sign-in";
                return Err(Denied::Failed(message.to_owned()));
            }
            let SignedIn {
                cookie,
                authenticated,
            } = app.finish_sign_in(cookie, code).await?;
            let token = access_token(&authenticated.tokens);
            Response::SignedIn { cookie, token }
        }
        Request::CallApi { cookie } => match app.cache.read(&cookie).await? {
            Some(Found { token, from }) => Response::Called { token, from },
            None => Response::NoTokens,
        },
        Request::Refresh { cookie } => {
            let refreshed = app.cache.refresh(&cookie, app.provider.source()).await?;
            refreshed.map_or(Response::NoTokens, |token| Response::Refreshed { token })
        }
        Request::CutBackplane => Response::BackplaneCut(app.cache.cut_backplane()),
        Request::LeaseState => Response::LeaseState(app.cache.lease()),
        Request::Waited => Response::Waited(app.cache.waited().await),
    })
}

/// The path of an app's endpoint for logout tokens.
pub(crate) const fn back_channel_path(kind: CacheKind) -> &'static str {
    match kind {
        CacheKind::TokenCache => "/token-cache/backchannel-logout",
        CacheKind::PlainCache => "/plain-cache/backchannel-logout",
    }
}

/// Returns the URI at which the provider sends browsers back to a server.
pub(crate) fn redirect_uri(origin: &str) -> String {
    format!("{origin}/callback")
}

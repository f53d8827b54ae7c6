use std::net::Ipv4Addr;

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use crate::{
    app::App,
    app_cache::Denied,
    failure::Failure,
    message::{FromServer, Registrations, Response, ToServer},
    server_caches::{CacheKind, ServerCaches},
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
            let registration = registrations.of(kind).clone();
            App::new(caches.cache(kind), registration, redirect_uri(origin)).await
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
            router = router.merge(self.app(kind).back_channel(kind).await?);
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
                let response = app.handle(request).await;
                let response = response.or_else(|denied| match denied {
                    Denied::SignedOut => Ok(Response::Refused),
                    Denied::Failed(message) => Err(message),
                });
                let _ = outbox.send(FromServer::Response { id, response });
            });
        }
    }
}

/// Returns the URI at which the provider sends browsers back to a server.
pub(crate) fn redirect_uri(origin: &str) -> String {
    format!("{origin}/callback")
}

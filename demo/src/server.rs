use std::net::Ipv4Addr;

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use crate::{
    app::App,
    app_cache::Denied,
    columns::{Column, Columns},
    failure::Failure,
    message::{FromServer, Registrations, Response, ToServer},
    store_url::StoreUrl,
};

/// An app server, as it runs in both columns.
struct Server {
    token_cache: App,
    plain_cache: App,
    store: String,
}

/// An app server: answers requests, many at a time, until its inbox closes. It has its caches already, or is told which store to
/// open.
pub(crate) async fn serve(
    columns: Option<Columns>,
    mut inbox: UnboundedReceiver<ToServer>,
    outbox: UnboundedSender<FromServer>,
) {
    // Whoever no longer listens needs no answer, here and below.
    match open(columns, &mut inbox, &outbox).await {
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
    columns: Option<Columns>,
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
    let columns = match (columns, store) {
        (Some(columns), _) => columns,
        (None, Some(url)) => Columns::open(&StoreUrl::parse(&url).map_err(Failure::new)?).await?,
        (None, None) => return Err(Failure::new("an app server needs a store")),
    };
    let server = Server::new(&columns, &registrations, &origin).await?;
    let router = server.back_channels().await?;
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(server)
}

impl Server {
    async fn new(
        columns: &Columns,
        registrations: &Registrations,
        origin: &str,
    ) -> Result<Self, Failure> {
        let app = async |column| {
            let registration = registrations.of(column).clone();
            App::new(columns.cache(column), registration, redirect_uri(origin)).await
        };
        Ok(Self {
            token_cache: app(Column::TokenCache).await?,
            plain_cache: app(Column::PlainCache).await?,
            store: columns.store(),
        })
    }

    async fn back_channels(&self) -> Result<Router, Failure> {
        let mut router = Router::new();
        for column in [Column::TokenCache, Column::PlainCache] {
            router = router.merge(self.app(column).back_channel(column).await?);
        }
        Ok(router)
    }

    fn app(&self, column: Column) -> &App {
        match column {
            Column::TokenCache => &self.token_cache,
            Column::PlainCache => &self.plain_cache,
        }
    }

    async fn answer(
        self,
        mut inbox: UnboundedReceiver<ToServer>,
        outbox: &UnboundedSender<FromServer>,
    ) {
        while let Some(message) = inbox.recv().await {
            let ToServer::Request {
                id,
                column,
                request,
            } = message
            else {
                continue;
            };
            let (app, outbox) = (self.app(column).clone(), outbox.clone());
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

/// Where the provider sends browsers back to a server.
pub(crate) fn redirect_uri(origin: &str) -> String {
    format!("{origin}/callback")
}

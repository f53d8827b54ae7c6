use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    caches::Caches,
    cookies::Cookies,
    late_answers::LateAnswers,
    listeners::listen,
    options::ServeOptions,
    plain_app::PlainApp,
    provider::ProviderAtHand,
    routes,
    server::Server,
    timeline::{Kind, Timeline},
};
use crate::{failure::Failure, instrumented_store::BackplaneSwitch, oidc::Discovered};

/// How long requests that are under way may take when the app ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// The running web app: its servers, and the development provider if there is one.
#[derive(Debug)]
pub struct Web {
    origins: Vec<String>,
    store: String,
    secret: &'static str,
    provider: ProviderAtHand,
    closing: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

/// The state that the servers of one process share besides the store: the timeline, and the app with the plain cache.
pub(crate) struct Shared {
    /// Of each server, in order: the page of one may ask another.
    pub(crate) origins: Vec<String>,
    pub(crate) provider: ProviderPages,
    pub(crate) store: String,
    /// `true` if the caches' secret is a random one of this process.
    pub(crate) secret_is_own: bool,
    /// The name of each server, and what cuts its backplane.
    pub(crate) links: Vec<(String, Arc<BackplaneSwitch>)>,
    pub(crate) plain: PlainApp,
    pub(crate) timeline: Timeline,
    pub(crate) late_answers: LateAnswers,
    pub(crate) closing: watch::Receiver<bool>,
}

/// The provider's data for the page.
pub(crate) struct ProviderPages {
    pub(crate) issuer: String,
    pub(crate) is_for_development: bool,
    /// The URL at which a user signs out there.
    pub(crate) sign_out: Option<String>,
    /// The origins that forms to the provider may lead to.
    pub(crate) origins: Vec<String>,
}

impl Web {
    /// Starts the servers; they have answered no request yet when it returns.
    ///
    /// # Errors
    /// Where a port is taken, the store or the provider can't be reached, or the secret is missing or wrong.
    pub async fn start(options: ServeOptions) -> Result<Self, Failure> {
        let (public_url, listeners) = listen(options.public_url, options.instances).await?;
        let origins: Vec<String> = (0..options.instances)
            .map(|index| public_url.origin(index))
            .collect();
        let provider = ProviderAtHand::of(
            options.provider,
            &public_url,
            &origins,
            options.logout_channel,
        )?;
        let discovered = Discovered::at(provider.registration().clone())
            .await?
            .exp_claim(options.exp_claim)
            .front_channel(options.front_channel_parameters);
        let caches = Caches::open(&options.store, options.instances).await?;

        let (closing, closed) = watch::channel(false);
        let shared = Arc::new(Shared {
            provider: provider.pages(&discovered),
            origins: origins.clone(),
            store: caches.name.clone(),
            secret_is_own: caches.secret_is_own,
            links: ('A'..)
                .zip(&caches.of_servers)
                .map(|(name, (_, store))| (name.to_string(), Arc::clone(store.switch())))
                .collect(),
            plain: PlainApp::new(caches.plain),
            timeline: Timeline::new(),
            late_answers: LateAnswers::default(),
            closing: closed.clone(),
        });
        provider.tell_of(&shared);
        let cookies = Cookies::new(public_url.is_plain());
        let opened = (0u8..).zip(caches.of_servers).map(|(index, cache)| {
            Server::new(index, cache, cookies, &discovered, Arc::clone(&shared))
        });
        let opened = opened.collect::<Result<Vec<_>, _>>()?;
        join_all(opened.iter().map(Server::fetch_keys)).await;
        let servers = listeners
            .into_iter()
            .zip(opened)
            .map(|(listener, server)| serve(listener, Arc::new(server), closed.clone()))
            .collect();
        Ok(Self {
            origins,
            store: shared.store.clone(),
            secret: caches.secret,
            provider,
            closing,
            servers,
        })
    }

    /// Returns the origins of the servers, in order.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// The issuer of the provider that users sign in at.
    pub fn issuer(&self) -> &str {
        &self.provider.registration().issuer
    }

    /// The development provider, if it is used.
    pub fn development_provider(&self) -> Option<&token_cache_dev_provider::DevelopmentProvider> {
        self.provider.for_development()
    }

    /// How the store calls itself.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Returns the source of the cache's secret, in a few words.
    pub fn secret(&self) -> &'static str {
        self.secret
    }

    /// Ends the servers: no new requests, and those that are under way get a moment.
    pub async fn stop(self) {
        self.closing.send_replace(true);
        let mut ending = JoinSet::new();
        for mut server in self.servers {
            ending.spawn(async move {
                if tokio::time::timeout(FAREWELL, &mut server).await.is_err() {
                    server.abort();
                }
            });
        }
        while ending.join_next().await.is_some() {}
    }
}

fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    mut closed: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let serving =
            axum::serve(listener, routes::of(&server)).with_graceful_shutdown(async move {
                // This fails if the sender is gone, and then the app has ended.
                let _ = closed.wait_for(|closing| *closing).await;
            });
        let ended = serving.await;
        // A sign-out does not wait for a server that has released its lease.
        server.cache.release_lease().await;
        if let Err(error) = ended {
            server.tell(
                Kind::Failed,
                format!("It does not listen any more: {error}"),
            );
        }
    })
}

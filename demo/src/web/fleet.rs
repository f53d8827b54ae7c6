use std::{
    env,
    io::{self, Write},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use token_cache::Secret;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    cookies::Cookies,
    late_answers::LateAnswers,
    options::ServeOptions,
    plain_app::PlainApp,
    provider::ProviderAtHand,
    public_url::listen,
    routes,
    server::Server,
    shared::Shared,
    timeline::{Kind, Timeline},
};
use crate::{
    caches::{self, random_text},
    failure::{Exit, Failure},
    oidc::Discovered,
    plain_cache,
    store_url::PREFIX,
};

/// The environment variable with the app's secret.
const SECRET: &str = "TOKEN_CACHE_SECRET";

/// The lifetime of a session without a sign-out.
const LIFETIME: Duration = Duration::from_secs(3600);

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
        let secret = SecretAtHand::find()?;
        let (store, instances) = (&options.store, options.instances);
        #[cfg(feature = "dynamodb")]
        store.make_table_of_local_engine().await?;
        let opened = caches::open(
            store,
            &secret.namespace,
            &secret.secret,
            LIFETIME,
            instances,
        );
        let opened = opened.await?;
        let name = opened.first().map(|one| one.cache.store().to_string());

        let (closing, closed) = watch::channel(false);
        let shared = Arc::new(Shared {
            provider: provider.pages(&discovered),
            origins: origins.clone(),
            store: name.unwrap_or_default(),
            secret_is_own: secret.is_own,
            links: ('A'..)
                .zip(&opened)
                .map(|(name, one)| (name.to_string(), Arc::clone(one.store.switch())))
                .collect(),
            plain: PlainApp::new(plain_cache::open(store).await?),
            timeline: Timeline::new(),
            late_answers: LateAnswers::default(),
            closing: closed.clone(),
        });
        provider.tell_of(&shared);
        let cookies = Cookies::new(public_url.is_plain());
        let discovered = Arc::new(discovered);
        let opened = (0u8..).zip(opened).map(|(index, cache)| {
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
            secret: secret.in_words,
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
        server.cache().release_lease().await;
        if let Err(error) = ended {
            server.tell(
                Kind::Failed,
                format!("It does not listen any more: {error}"),
            );
        }
    })
}

/// Runs the web app until Ctrl-C, and says on standard output where it is.
pub(crate) async fn serve_until_ctrl_c(options: ServeOptions) -> Exit {
    let served = async {
        let instances = options.instances;
        let mut asked_to_end = pin!(tokio::signal::ctrl_c());
        // Ctrl-C is listened to before anybody is told of it.
        let web = tokio::select! {
            biased;
            asked = &mut asked_to_end => return Ok(asked?),
            web = Web::start(options) => web?,
        };
        io::stdout().write_all(greeting(&web, instances).as_bytes())?;
        asked_to_end.await?;
        // What ends on purpose ends well, whether or not anybody reads it.
        let _ = writeln!(io::stdout(), "\nEnding.");
        web.stop().await;
        Ok::<(), Failure>(())
    };
    match served.await {
        Ok(()) => Exit::Proved,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            Exit::Unfinished
        }
    }
}

fn greeting(web: &Web, instances: u16) -> String {
    let first = web.origins().first().map_or("", String::as_str);
    let servers: Vec<String> = ('A'..)
        .zip(web.origins())
        .map(|(letter, origin)| format!("{letter} {origin}"))
        .collect();
    let provider = if web.development_provider().is_some() {
        format!(
            "{} (built in, for development: any name signs in)",
            web.issuer()
        )
    } else {
        web.issuer().to_owned()
    };
    format!(
        "{instances} app servers share one cache. Open this in a browser:\n\n  {first}/\n\n  \
         servers   {}\n  provider  {provider}\n  store     {}\n  secret    {}\n\nCtrl-C ends it.\n",
        servers.join("   "),
        web.store(),
        web.secret(),
    )
}

/// The secret, and the corner of the store whose secret it is.
struct SecretAtHand {
    secret: Secret,
    namespace: String,
    in_words: &'static str,
    is_own: bool,
}

impl SecretAtHand {
    fn find() -> Result<Self, Failure> {
        if env::var_os(SECRET).is_some() {
            return Ok(Self {
                secret: Secret::from_env()?,
                namespace: format!("{PREFIX}-web"),
                in_words: "that of TOKEN_CACHE_SECRET",
                is_own: false,
            });
        }
        // Entries under a lost secret do no harm in a namespace of their own.
        Ok(Self {
            secret: Secret::random()?,
            namespace: format!("{PREFIX}-web-{}", random_text(6)?),
            in_words: "a random one: after this run the tokens cannot be read; set TOKEN_CACHE_SECRET for one that lasts",
            is_own: true,
        })
    }
}

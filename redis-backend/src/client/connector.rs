use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client as RedisClient, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisResult,
    aio::{AsyncPushSender, MultiplexedConnection},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use secrecy::{ExposeSecret, SecretString};
use token_cache_core::Result;

use super::{connection::Connection, tls::Certificates};
#[cfg(feature = "sentinel")]
use super::{
    sentinel::{FailoverWatcher, Sentinels},
    server::Server,
};
use crate::{Address, RedisConfig, Topology, error::from_redis_error};

/// The idle time before the first TCP keep-alive probe.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(5);

/// The pause between two keep-alive probes.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(2);

/// The number of lost probes after which the kernel closes the connection.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
const KEEPALIVE_PROBES: u32 = 3;

/// The time without an acknowledgement after which the kernel closes the connection.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(10);

/// Opens connections to one server. Behind Sentinels, it asks for the server each time.
#[derive(Clone)]
pub(crate) struct Connector {
    target: Target,
    connect_timeout: Duration,
}

#[derive(Clone)]
enum Target {
    Server(Box<RedisClient>),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<Sentinels>),
}

/// The options of connections, without an address.
#[derive(Clone)]
pub(super) struct ConnectOptions {
    settings: RedisConnectionInfo,
    certificates: Option<Certificates>,
}

impl Connector {
    /// Returns the connector of the configured server.
    ///
    /// # Errors
    /// The driver refuses the settings, or they are those of a Cluster.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self> {
        const OPERATION: &str = "connect";
        let options = ConnectOptions::of(config)?;
        let failed = |error| from_redis_error(OPERATION, error);
        let target = match &config.topology {
            Topology::Standalone(address) => {
                Target::Server(Box::new(options.node(address).map_err(failed)?))
            }
            Topology::Socket(path) => {
                let info = info(ConnectionAddr::Unix(path.clone()), options.settings)
                    .and_then(RedisClient::open);
                Target::Server(Box::new(info.map_err(failed)?))
            }
            #[cfg(feature = "sentinel")]
            Topology::Sentinel(sentinel) => {
                let ask = ConnectOptions {
                    settings: settings(sentinel.username.as_deref(), sentinel.password.as_ref()),
                    certificates: options.certificates.clone(),
                };
                let sentinels = Sentinels::new(sentinel, &ask, options);
                Target::Sentinel(Box::new(sentinels.map_err(failed)?))
            }
            _ => {
                return Err(crate::error::invalid_config(
                    "the servers need a feature that is not compiled in; add `cluster` or `sentinel`",
                ));
            }
        };
        Ok(Self {
            target,
            connect_timeout: config.connect_timeout,
        })
    }

    /// Returns a connector that uses a client of the driver.
    #[cfg(any(feature = "cluster", feature = "redis-1"))]
    pub(crate) fn with_client(client: RedisClient, connect_timeout: Duration) -> Self {
        Self {
            target: Target::Server(Box::new(client)),
            connect_timeout,
        }
    }

    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        self.open_connection(None).await.map(Connection)
    }

    /// Opens a connection that receives push messages (RESP3).
    pub(super) async fn connect_with_push_sender(
        &self,
        push_sender: PushSender,
    ) -> RedisResult<MultiplexedConnection> {
        self.open_connection(Some(push_sender)).await
    }

    async fn open_connection(
        &self,
        push_sender: Option<PushSender>,
    ) -> RedisResult<MultiplexedConnection> {
        let connecting = async {
            match &self.target {
                Target::Server(client) => open(client, self.connect_timeout, push_sender).await,
                #[cfg(feature = "sentinel")]
                Target::Sentinel(sentinels) => {
                    sentinels.connect(self.connect_timeout, push_sender).await
                }
            }
        };
        match tokio::time::timeout(self.connect_timeout, Box::pin(connecting)).await {
            Ok(connected) => connected,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    /// Starts a failover watcher if the server is behind Sentinels.
    #[cfg(feature = "sentinel")]
    pub(super) fn watch(&self, server: &Server) -> Option<FailoverWatcher> {
        match &self.target {
            Target::Sentinel(sentinels) => Some(FailoverWatcher::start(
                sentinels,
                server,
                self.connect_timeout,
            )),
            Target::Server(_) => None,
        }
    }
}

impl ConnectOptions {
    pub(super) fn of(config: &RedisConfig) -> Result<Self> {
        let settings = settings(config.username.as_deref(), config.password.as_ref());
        Ok(Self {
            settings: settings.set_db(config.db.into()),
            certificates: config.tls.as_ref().map(Certificates::read).transpose()?,
        })
    }

    pub(super) fn node(&self, address: &Address) -> RedisResult<RedisClient> {
        let info = self.info(address)?;
        match &self.certificates {
            #[cfg(feature = "tls")]
            Some(certificates) => RedisClient::build_with_tls(info, certificates.to_driver()),
            _ => RedisClient::open(info),
        }
    }

    fn info(&self, address: &Address) -> RedisResult<ConnectionInfo> {
        let (host, port) = (address.host.clone(), address.port);
        let target = if self.certificates.is_some() {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        info(target, self.settings.clone())
    }
}

/// The handler of the push messages of a connection.
pub(super) type PushSender = Arc<dyn AsyncPushSender>;

/// Opens a connection without a response timeout. The timeout of the operation includes retries.
pub(super) async fn open(
    client: &RedisClient,
    connect_timeout: Duration,
    push_sender: Option<PushSender>,
) -> RedisResult<MultiplexedConnection> {
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(connect_timeout))
        .set_response_timeout(None);
    let resp3_client;
    let client = match push_sender {
        None => client,
        Some(push_sender) => {
            config = config.set_push_sender(push_sender);
            let info = client.get_connection_info().clone();
            let settings = info.redis_settings().clone();
            let settings = settings.set_protocol(ProtocolVersion::RESP3);
            resp3_client = RedisClient::open(info.set_redis_settings(settings))?;
            &resp3_client
        }
    };
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Returns the TCP settings. The kernel closes a dead connection, even if no request waits on it.
fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED_FOR);
    settings
}

fn info(target: ConnectionAddr, settings: RedisConnectionInfo) -> RedisResult<ConnectionInfo> {
    Ok(target
        .into_connection_info()?
        .set_tcp_settings(tcp_settings())
        .set_redis_settings(settings))
}

fn settings(username: Option<&str>, password: Option<&SecretString>) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(username) = username {
        settings = settings.set_username(username);
    }
    if let Some(password) = password {
        settings = settings.set_password(password.expose_secret());
    }
    settings
}

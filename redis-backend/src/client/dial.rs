use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client as Driver, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisResult,
    aio::{AsyncPushSender, MultiplexedConnection},
    io::tcp::TcpSettings,
};
use secrecy::{ExposeSecret, SecretString};
use token_cache_core::Result;

use super::{connection::Connection, tls::Certificates};
use crate::{Address, RedisConfig, Topology, error::from_driver};

/// Opens connections to the servers of a configuration.
#[derive(Clone)]
pub(crate) struct Dialer {
    to: To,
    connect_timeout: Duration,
}

#[derive(Clone)]
enum To {
    One(Box<Driver>),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<super::sentinel::Sentinels>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterClient>, Manner),
    /// A connection that the application opened: there is no other.
    Given(MultiplexedConnection),
}

/// How connections to nodes are made, whichever address they have.
#[derive(Clone)]
pub(super) struct Manner {
    settings: RedisConnectionInfo,
    certificates: Option<Certificates>,
}

impl Dialer {
    pub(crate) fn new(config: &RedisConfig) -> Result<Self> {
        const OPERATION: &str = "connect";
        let certificates = config.tls.as_ref().map(Certificates::read).transpose()?;
        let manner = Manner {
            settings: settings(config.username.as_deref(), config.password.as_ref())
                .set_db(config.db.into()),
            certificates,
        };
        let failed = |error| from_driver(OPERATION, error);
        let to = match &config.topology {
            Topology::Standalone(address) => {
                To::One(Box::new(manner.node(address).map_err(failed)?))
            }
            Topology::Socket(path) => {
                let info = info(ConnectionAddr::Unix(path.clone()), manner.settings)
                    .and_then(Driver::open);
                To::One(Box::new(info.map_err(failed)?))
            }
            #[cfg(feature = "cluster")]
            Topology::Cluster(nodes) => {
                let nodes: RedisResult<Vec<_>> =
                    nodes.iter().map(|address| manner.info(address)).collect();
                let client = nodes.and_then(|nodes| {
                    super::cluster::client(
                        nodes,
                        config.connect_timeout,
                        config.operation_timeout,
                        manner.certificates.as_ref(),
                    )
                });
                To::Cluster(Box::new(client.map_err(failed)?), manner)
            }
            #[cfg(feature = "sentinel")]
            Topology::Sentinel(sentinel) => {
                let ask = Manner {
                    settings: settings(sentinel.username.as_deref(), sentinel.password.as_ref()),
                    certificates: manner.certificates.clone(),
                };
                let sentinels = super::sentinel::Sentinels::new(sentinel, &ask, manner);
                To::Sentinel(Box::new(sentinels.map_err(failed)?))
            }
            #[cfg(not(all(feature = "cluster", feature = "sentinel")))]
            _ => return Err(crate::config::refused("its feature is not compiled in")),
        };
        Ok(Self {
            to,
            connect_timeout: config.connect_timeout,
        })
    }

    /// Opens connections by a client that the application has.
    pub(crate) fn of_client(client: Driver, connect_timeout: Duration) -> Self {
        Self {
            to: To::One(Box::new(client)),
            connect_timeout,
        }
    }

    /// Uses a connection that the application has opened.
    pub(crate) fn of_connection(connection: MultiplexedConnection) -> Self {
        Self {
            to: To::Given(connection),
            connect_timeout: Duration::from_secs(1),
        }
    }

    pub(super) fn leads_to_cluster(&self) -> bool {
        match &self.to {
            #[cfg(feature = "cluster")]
            To::Cluster(..) => true,
            _ => false,
        }
    }

    pub(super) async fn dial(&self) -> RedisResult<Connection> {
        let dialing = async {
            match &self.to {
                To::One(client) => open(client, self.connect_timeout, None)
                    .await
                    .map(Connection::Node),
                #[cfg(feature = "sentinel")]
                To::Sentinel(sentinels) => sentinels
                    .dial(self.connect_timeout, None)
                    .await
                    .map(Connection::Node),
                #[cfg(feature = "cluster")]
                To::Cluster(client, _) => client
                    .get_async_connection()
                    .await
                    .map(super::cluster::ClusterConnection::new)
                    .map(Connection::Cluster),
                To::Given(connection) => Ok(Connection::Node(connection.clone())),
            }
        };
        self.in_time(Box::pin(dialing)).await
    }

    /// Whether connections of their own can be opened, which a link needs.
    pub(super) fn opens_others(&self) -> bool {
        !matches!(self.to, To::Given(_))
    }

    /// Opens a connection that hears pushes: to the one server there is, or, on a Cluster, to the one at `node`.
    pub(super) async fn dial_hearing(
        &self,
        node: Option<&Address>,
        pushes: Pushes,
    ) -> RedisResult<MultiplexedConnection> {
        let dialing = async {
            match &self.to {
                To::One(client) => open(client, self.connect_timeout, Some(pushes)).await,
                #[cfg(feature = "sentinel")]
                To::Sentinel(sentinels) => sentinels.dial(self.connect_timeout, Some(pushes)).await,
                #[cfg(feature = "cluster")]
                To::Cluster(_, manner) => {
                    let node = manner.node(node.ok_or_else(nowhere)?)?;
                    open(&node, self.connect_timeout, Some(pushes)).await
                }
                To::Given(_) => Err(nowhere()),
            }
        };
        #[cfg(not(feature = "cluster"))]
        let _ = node;
        self.in_time(Box::pin(dialing)).await
    }

    /// Sentinels are asked one after the other, each in a share of the time.
    async fn in_time<T>(&self, dialing: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        match tokio::time::timeout(self.connect_timeout, dialing).await {
            Ok(dialed) => dialed,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }
}

impl Manner {
    pub(super) fn node(&self, address: &Address) -> RedisResult<Driver> {
        let info = self.info(address)?;
        match &self.certificates {
            #[cfg(feature = "tls")]
            Some(certificates) => Driver::build_with_tls(info, certificates.for_driver()),
            _ => Driver::open(info),
        }
    }

    fn info(&self, address: &Address) -> RedisResult<ConnectionInfo> {
        let (host, port) = (address.host.clone(), address.port);
        let to = if self.certificates.is_some() {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        info(to, self.settings.clone())
    }
}

/// What hears the pushes of a connection.
pub(super) type Pushes = Arc<dyn AsyncPushSender>;

/// Opens a connection whose requests have no timeout of their own: ours counts retries in.
pub(super) async fn open(
    client: &Driver,
    connect_timeout: Duration,
    pushes: Option<Pushes>,
) -> RedisResult<MultiplexedConnection> {
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(connect_timeout))
        .set_response_timeout(None);
    let hearing;
    let client = match pushes {
        None => client,
        Some(pushes) => {
            config = config.set_push_sender(pushes);
            let info = client.get_connection_info().clone();
            let settings = info.redis_settings().clone();
            let settings = settings.set_protocol(ProtocolVersion::RESP3);
            hearing = Driver::open(info.set_redis_settings(settings))?;
            &hearing
        }
    };
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

fn nowhere() -> redis::RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
}

pub(super) fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn info(to: ConnectionAddr, settings: RedisConnectionInfo) -> RedisResult<ConnectionInfo> {
    Ok(to
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

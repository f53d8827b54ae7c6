use token_cache_conformance::NoStore;
use token_cache_integration_tests::servers::{
    RedisOptions, RedisServer, SentinelSetup, TestCluster, TestRedis,
};
use token_cache_redis::RedisConfig;

/// A Redis topology.
#[derive(Clone, Copy)]
pub(crate) enum Setup {
    Standalone,
    Cluster,
    Sentinel,
    Tls,
    Socket,
}

/// The servers of a setup. Servers that were started here are stopped when it is dropped.
pub(crate) enum Server {
    Standalone(TestRedis),
    Cluster(TestCluster),
    Sentinel(Box<SentinelSetup>),
    Tls(Box<RedisServer>),
    Socket(Box<RedisServer>),
}

impl Setup {
    pub(crate) const ALL: [Self; 5] = [
        Self::Standalone,
        Self::Cluster,
        Self::Sentinel,
        Self::Tls,
        Self::Socket,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standalone => "redis",
            Self::Cluster => "redis_cluster",
            Self::Sentinel => "redis_sentinel",
            Self::Tls => "redis_tls",
            Self::Socket => "redis_unix",
        }
    }

    pub(crate) fn provide(self) -> Result<Server, NoStore> {
        let start = |options| RedisServer::start(options).map(Box::new);
        let default = RedisOptions::default;
        Ok(match self {
            Self::Standalone => Server::Standalone(TestRedis::provide()?),
            Self::Cluster => Server::Cluster(TestCluster::provide()?),
            Self::Sentinel => Server::Sentinel(Box::new(SentinelSetup::start(default())?)),
            Self::Tls => Server::Tls(start(RedisOptions {
                tls: true,
                ..default()
            })?),
            Self::Socket => Server::Socket(start(RedisOptions {
                unix_socket: true,
                ..default()
            })?),
        })
    }
}

impl Server {
    /// Returns the addresses of its primaries without TLS.
    pub(crate) fn primaries(&self) -> Result<Vec<String>, NoStore> {
        Ok(match self {
            Self::Standalone(redis) => vec![redis.url().to_owned()],
            Self::Cluster(cluster) => cluster.urls().to_vec(),
            Self::Sentinel(setup) => vec![format!("redis://{}", setup.current_primary()?)],
            Self::Tls(server) | Self::Socket(server) => vec![server.url()],
        })
    }

    pub(crate) fn config(&self) -> Result<RedisConfig, NoStore> {
        let url = match self {
            Self::Standalone(redis) => redis.url().to_owned(),
            Self::Cluster(cluster) => {
                let nodes: Vec<_> = cluster
                    .urls()
                    .iter()
                    .map(|url| url.trim_start_matches("redis://"))
                    .collect();
                format!("redis+cluster://{}", nodes.join(","))
            }
            Self::Sentinel(setup) => {
                let sentinels: Vec<_> = setup.sentinels().iter().map(ToString::to_string).collect();
                format!(
                    "redis+sentinel://{}/{}",
                    sentinels.join(","),
                    SentinelSetup::SERVICE
                )
            }
            Self::Tls(server) => {
                let url = server
                    .tls_url()
                    .ok_or("the server was started without TLS")?;
                format!("{url}?ca={}", server.authority().display())
            }
            Self::Socket(server) => format!("redis+unix://{}", server.unix_socket().display()),
        };
        Ok(RedisConfig::from_url(&url)?)
    }
}

use std::fmt;

use super::{Failure, Options, Topology, near_cache::Role};
use crate::servers::{
    AppendFsync, Line, OwnStore, RedisCluster, RedisOptions, SentinelSetup, ServerError, StoreKind,
    url_with as with,
};

/// The store that the fleet uses, and each app server's own connection to it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) store: Store,
    /// One proxy for each app server, if the store can be reached through a proxy.
    pub(super) lines: Vec<Line>,
    /// `true` for the plain Redis cache.
    pub(super) plain: bool,
    urls: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Store {
    /// A store of the user's. No faults are applied to it.
    Given,
    Own(OwnStore),
    Cluster(RedisCluster),
    Sentinel(Box<SentinelSetup>),
}

impl Stage {
    pub(super) fn set(options: &Options) -> Result<Self, Failure> {
        let plain = options.design == crate::fleet::Design::Plain;
        let everyone = |url: String| {
            let parameters = |at| Role::of(at, options).parameters(options.topology);
            let each = |at| with(&url, &parameters(at));
            (0..options.processes).map(each).collect::<Vec<_>>()
        };
        if let Some(url) = &options.url {
            let url = if plain {
                url.clone()
            } else {
                with_own_prefix(url, options.seed)
            };
            return Ok(Self {
                store: Store::Given,
                lines: Vec::new(),
                plain,
                urls: everyone(url),
            });
        }
        match options.topology {
            Topology::Standalone => Self::on_lines(StoreKind::Redis, options, plain),
            Topology::DynamoDb => Self::on_lines(StoreKind::DynamoDb, options, plain),
            Topology::Cluster => {
                let cluster = RedisCluster::with_replicas(3)?;
                let nodes: Vec<String> = cluster
                    .nodes()
                    .iter()
                    .map(|node| node.address().to_string())
                    .collect();
                let urls = everyone(format!("redis+cluster://{}", nodes.join(",")));
                Ok(Self {
                    store: Store::Cluster(cluster),
                    lines: Vec::new(),
                    plain,
                    urls,
                })
            }
            Topology::Sentinel => {
                let persistent = RedisOptions {
                    appendonly: Some(AppendFsync::Always),
                    ..RedisOptions::default()
                };
                let setup = SentinelSetup::start(persistent)?;
                let sentinels: Vec<String> =
                    setup.sentinels().iter().map(ToString::to_string).collect();
                let service = SentinelSetup::SERVICE;
                let sentinels = sentinels.join(",");
                let urls = everyone(format!("redis+sentinel://{sentinels}/{service}?replicas=1"));
                Ok(Self {
                    store: Store::Sentinel(Box::new(setup)),
                    lines: Vec::new(),
                    plain,
                    urls,
                })
            }
        }
    }

    fn on_lines(kind: StoreKind, options: &Options, plain: bool) -> Result<Self, Failure> {
        let store = OwnStore::persistent(kind)?;
        let lines = (0..options.processes)
            .map(|_| store.line())
            .collect::<Result<Vec<_>, ServerError>>()?;
        let parameters = |at| Role::of(at, options).parameters(options.topology);
        let urls = lines.iter().enumerate();
        let urls = urls.map(|(at, line)| line.url(&parameters(at))).collect();
        Ok(Self {
            store: Store::Own(store),
            lines,
            plain,
            urls,
        })
    }

    /// Returns the store's URL for each app server.
    pub(super) fn urls(&self) -> &[String] {
        &self.urls
    }
}

/// Adds a namespace of the run's own: the store may be in use.
fn with_own_prefix(url: &str, seed: u64) -> String {
    if url.contains("prefix=") {
        return url.to_owned();
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}prefix=torture-{seed:x}")
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, server) = match &self.store {
            Store::Given => return f.write_str("the given store"),
            Store::Own(store @ OwnStore::Redis(_)) => {
                return write!(f, "{store}, one server, appendfsync always");
            }
            Store::Own(store @ OwnStore::DynamoDb(_)) => {
                return write!(f, "{store}, one engine over a file");
            }
            Store::Cluster(cluster) => (
                "a cluster of three masters, each with a replica",
                cluster.nodes().first(),
            ),
            Store::Sentinel(setup) => (
                "a primary and a replica under Sentinels, replicas=1",
                Some(setup.primary()),
            ),
        };
        let version = server
            .and_then(|server| server.version().ok())
            .unwrap_or_default();
        write!(f, "{version}, {what}")
    }
}

use std::net::SocketAddr;
use std::time::Duration;

use super::resp::{Client, Value};
use super::{Proxy, RedisOptions, RedisServer, ServerError, wait};

const SLOTS: usize = 16_384;
const FORM_LIMIT: Duration = Duration::from_secs(30);
const FOLLOW_LIMIT: Duration = Duration::from_secs(30);
const FAILOVER_LIMIT: Duration = Duration::from_secs(30);
/// The time after which a replica gives up, which is `CLUSTER FAILOVER`'s own limit.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A Redis Cluster of local masters, with or without a replica each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    replicas: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts `masters` servers that share the slots evenly, and waits until each reports that the cluster is complete (about 2 s).
    ///
    /// # Errors
    /// A server does not start, or the cluster does not form.
    pub fn start(masters: usize) -> Result<Self, ServerError> {
        let nodes = (0..masters)
            .map(|_| RedisServer::start(node_options()))
            .collect::<Result<Vec<_>, _>>()?;
        form(&nodes.iter().map(RedisServer::address).collect::<Vec<_>>())?;
        Ok(Self {
            nodes,
            replicas: Vec::new(),
        })
    }

    /// Starts a cluster in which each master has an up-to-date replica.
    ///
    /// # Errors
    /// A server does not start, the cluster does not form, or a replica does not follow.
    pub fn with_replicas(masters: usize) -> Result<Self, ServerError> {
        let mut cluster = Self::start(masters)?;
        let replicas = (0..masters).map(|_| RedisServer::start(node_options()));
        cluster.replicas = replicas.collect::<Result<Vec<_>, _>>()?;
        for (master, replica) in cluster.nodes.iter().zip(&cluster.replicas) {
            follow(master, replica)?;
        }
        wait::until(FOLLOW_LIMIT, "not every node knows all replicas", || {
            let all = cluster.nodes.iter().chain(&cluster.replicas);
            all.map(|node| masters_and_replicas(node).ok())
                .all(|known| known == Some((masters, masters)))
                .then_some(())
        })?;
        Ok(cluster)
    }

    /// Puts a proxy in front of each master, and makes the nodes advertise the proxies' ports. Clients that follow the slots, and
    /// replicas, then connect through the proxies.
    ///
    /// # Errors
    /// No port is free, or not every node knows the proxies within 30 s.
    pub fn behind_proxies(&self) -> Result<Vec<Proxy>, ServerError> {
        let mut proxies = Vec::new();
        for node in &self.nodes {
            let proxy = Proxy::start(node.address())?;
            let port = proxy.address().port().to_string();
            node.cli(&["CONFIG", "SET", "cluster-announce-port", &port])?;
            proxies.push(proxy);
        }
        wait::until(FOLLOW_LIMIT, "not every node knows the proxies", || {
            let ports = || proxies.iter().map(|proxy| proxy.address().port());
            let knows = |node: &RedisServer| {
                let nodes = node.cli(&["CLUSTER", "NODES"]).ok()?;
                let nodes = nodes.text()?.to_owned();
                ports()
                    .all(|port| nodes.contains(&format!(":{port}@")))
                    .then_some(())
            };
            self.nodes
                .iter()
                .all(|node| knows(node).is_some())
                .then_some(())
        })?;
        Ok(proxies)
    }

    /// Makes the replica of the master number `at` take over from it, as `CLUSTER FAILOVER` does. No data is lost, and the master becomes
    /// its replica.
    ///
    /// # Errors
    /// There is no replica, or it does not take over within 30 s.
    pub fn fail_over(&mut self, at: usize) -> Result<(), ServerError> {
        let (Some(master), Some(replica)) = (self.nodes.get_mut(at), self.replicas.get_mut(at))
        else {
            return Err(ServerError::new(format!("master {at} has no replica")));
        };
        wait::until(FAILOVER_LIMIT, "the replica refuses", || {
            take_over(replica).ok()
        })?;
        std::mem::swap(master, replica);
        self.wait_until_in_step(at)
    }

    /// Waits until the replica of the master number `at` has all of its data.
    ///
    /// # Errors
    /// There is no such master, or its replica does not catch up within 30 s.
    pub fn wait_until_in_step(&self, at: usize) -> Result<(), ServerError> {
        wait::until(FOLLOW_LIMIT, "the replica does not follow", || {
            is_in_step(self.nodes.get(at)?).then_some(())
        })
    }

    /// Returns the replicas. Each has the number of its master.
    pub fn replicas(&self) -> &[RedisServer] {
        &self.replicas
    }

    /// Returns the masters, in the order of their slots.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Returns the masters, to kill or restart one.
    pub fn nodes_mut(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// Returns one `redis://…` URL per node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }
}

/// Forms one cluster of running, empty nodes, and waits until each reports that it is complete.
pub(super) fn form(nodes: &[SocketAddr]) -> Result<(), ServerError> {
    for (index, node) in nodes.iter().enumerate() {
        let first = (index * SLOTS / nodes.len()).to_string();
        let last = ((index + 1) * SLOTS / nodes.len() - 1).to_string();
        call(*node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        // Without distinct config epochs, two nodes would have to resolve a collision when they meet.
        call(
            *node,
            &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()],
        )?;
    }
    if let Some((first, others)) = nodes.split_first() {
        for node in others {
            call(
                *first,
                &["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()],
            )?;
        }
    }
    let known = format!("cluster_known_nodes:{}\r", nodes.len());
    let is_whole = |node: &SocketAddr| {
        call(*node, &["CLUSTER", "INFO"])
            .ok()
            .and_then(|info| info.text().map(str::to_owned))
            .is_some_and(|info| info.contains("cluster_state:ok") && info.contains(&known))
    };
    wait::until(FORM_LIMIT, "the cluster does not form", || {
        nodes.iter().all(is_whole).then_some(())
    })
}

fn follow(master: &RedisServer, replica: &RedisServer) -> Result<(), ServerError> {
    let port = master.port().to_string();
    replica.cli(&["CLUSTER", "MEET", "127.0.0.1", &port])?;
    let id = master.cli(&["CLUSTER", "MYID"])?;
    let id = id
        .text()
        .ok_or_else(|| ServerError::new("a node has no name"))?;
    wait::until(FOLLOW_LIMIT, "the replica knows no master", || {
        replica.cli(&["CLUSTER", "REPLICATE", id]).ok()
    })?;
    // A replica that is told again would start anew.
    wait::until(FOLLOW_LIMIT, "the replica does not follow", || {
        is_in_step(master).then_some(())
    })
}

/// A replica that has just lost its master refuses, and one that waits for a slow master gives up.
fn take_over(replica: &RedisServer) -> Result<(), ServerError> {
    replica.cli(&["CLUSTER", "FAILOVER"])?;
    wait::until(TAKEOVER_LIMIT, "the replica does not take over", || {
        (replica.role().as_deref() == Some("master")).then_some(())
    })
}

/// Returns `true` if a replica has all data of a master.
fn is_in_step(master: &RedisServer) -> bool {
    let Ok(info) = master.cli(&["INFO", "replication"]) else {
        return false;
    };
    let info = info.text().unwrap_or_default();
    let offset = |name: &str| {
        let (_, rest) = info.split_once(name)?;
        rest.split([',', '\r']).next()?.parse::<u64>().ok()
    };
    info.contains("state=online") && offset(",offset=") == offset("master_repl_offset:")
}

/// Returns how many masters and replicas a node knows.
fn masters_and_replicas(node: &RedisServer) -> Result<(usize, usize), ServerError> {
    let nodes = node.cli(&["CLUSTER", "NODES"])?;
    let lines = nodes.text().unwrap_or_default().lines();
    let flags: Vec<&str> = lines.filter_map(|line| line.split(' ').nth(2)).collect();
    let count = |role| flags.iter().filter(|flags| flags.contains(role)).count();
    Ok((count("master"), count("slave")))
}

fn call(node: SocketAddr, command: &[&str]) -> Result<Value, ServerError> {
    Client::connect(node, CALL_TIMEOUT)?.call(command)
}

fn node_options() -> RedisOptions {
    let lines = [
        ("cluster-enabled", "yes"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-node-timeout", "2000"),
        ("cluster-announce-ip", "127.0.0.1"),
    ];
    RedisOptions {
        extra: lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..RedisOptions::default()
    }
}

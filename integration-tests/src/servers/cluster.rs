use std::net::SocketAddr;
use std::time::Duration;

use super::resp::{Client, Value};
use super::{RedisOptions, RedisServer, ServerError, wait};

const SLOTS: usize = 16_384;
const FORM_LIMIT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A Redis Cluster of local masters without replicas.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts `masters` servers that share the slots evenly, and waits until each says the cluster
    /// is whole (about 2 s).
    ///
    /// # Errors
    /// A server that does not start, or a cluster that does not form.
    pub fn start(masters: usize) -> Result<Self, ServerError> {
        let nodes = (0..masters)
            .map(|_| RedisServer::start(node_options()))
            .collect::<Result<Vec<_>, _>>()?;
        form(&nodes.iter().map(RedisServer::address).collect::<Vec<_>>())?;
        Ok(Self { nodes })
    }

    /// The masters, in the order of their slots.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The masters, to kill or restart one.
    pub fn nodes_mut(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// One `redis://…` URL a node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }
}

/// Makes one cluster of running, empty nodes, and waits until each says it is whole.
pub(super) fn form(nodes: &[SocketAddr]) -> Result<(), ServerError> {
    for (index, node) in nodes.iter().enumerate() {
        let first = (index * SLOTS / nodes.len()).to_string();
        let last = ((index + 1) * SLOTS / nodes.len() - 1).to_string();
        call(*node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        // Distinct epochs, else two nodes argue over them when they meet.
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

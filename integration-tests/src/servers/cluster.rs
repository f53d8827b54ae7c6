use std::time::Duration;

use super::{RedisOptions, RedisServer, ServerError, wait};

const SLOTS: usize = 16_384;
const FORM_LIMIT: Duration = Duration::from_secs(30);

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
        for (index, node) in nodes.iter().enumerate() {
            let first = (index * SLOTS / masters).to_string();
            let last = ((index + 1) * SLOTS / masters - 1).to_string();
            node.cli(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
            // Distinct epochs, else two nodes argue over them when they meet.
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
        }
        if let Some((first, others)) = nodes.split_first() {
            for node in others {
                first.cli(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()])?;
            }
        }
        let cluster = Self { nodes };
        wait::until(FORM_LIMIT, "the cluster does not form", || {
            cluster.nodes.iter().all(|node| cluster.is_whole_to(node)).then_some(())
        })?;
        Ok(cluster)
    }

    fn is_whole_to(&self, node: &RedisServer) -> bool {
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        node.cli(&["CLUSTER", "INFO"])
            .ok()
            .and_then(|info| info.text().map(str::to_owned))
            .is_some_and(|info| info.contains("cluster_state:ok") && info.contains(&known))
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

fn node_options() -> RedisOptions {
    let lines = [
        ("cluster-enabled", "yes"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-node-timeout", "2000"),
        ("cluster-announce-ip", "127.0.0.1"),
    ];
    RedisOptions {
        extra: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..RedisOptions::default()
    }
}

//! The nodes of a Cluster: the slot map, and the connections to each node.
//!
//! The cluster connection of the driver is not used. It keeps a connection on which requests time out. It delays the requests to all nodes
//! while it connects to one that hangs. It hides why it could not connect.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::{
    connection::Connection,
    connector::{ConnectOptions, Connector},
    server::Server,
};
use crate::{Address, error::is_more_specific};

/// The number of nodes that are asked for the slot map.
const NODES_ASKED: usize = 5;

/// The pause after a refresh of the slot map, since many requests may fail at once.
const PAUSE: Duration = Duration::from_millis(50);

/// The nodes of a Cluster. Clones share the connections.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Inner>);

struct Inner {
    options: ConnectOptions,
    connect_timeout: Duration,
    operation_timeout: Duration,
    /// The nodes of the configuration.
    seeds: Vec<Address>,
    slots: RwLock<Arc<SlotMap>>,
    servers: Mutex<HashMap<Address, Server>>,
    refreshing: AtomicBool,
    turn: AtomicUsize,
}

/// The redirection of a node that does not have the slot.
pub(super) struct Redirect {
    pub(super) server: Server,
    /// Whether the slot is moving to that node, which accepts requests only after `ASKING`.
    pub(super) asking: bool,
}

impl Cluster {
    /// Reads the slot map from the nodes of the configuration.
    pub(super) async fn open(
        seeds: Vec<Address>,
        options: ConnectOptions,
        connect_timeout: Duration,
        operation_timeout: Duration,
    ) -> RedisResult<Self> {
        let cluster = Self(Arc::new(Inner {
            options,
            connect_timeout,
            operation_timeout,
            seeds,
            slots: RwLock::default(),
            servers: Mutex::default(),
            refreshing: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
        }));
        cluster.find_slots().await?;
        Ok(cluster)
    }

    /// Returns the server that has the slot of `key`.
    pub(super) fn server_of(&self, key: &[u8]) -> RedisResult<Server> {
        let slots = self.0.slots();
        let Some(address) = slots.node_of(key) else {
            self.refresh();
            return Err(no_node());
        };
        self.0.server_at(address)
    }

    /// Returns a node, the next one each time.
    pub(super) fn any(&self) -> RedisResult<(Address, Server)> {
        let slots = self.0.slots();
        let nodes = slots.nodes();
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let address = nodes.get(turn % nodes.len().max(1)).ok_or_else(no_node)?;
        let address = Address::clone(address);
        let server = self.0.server_at(&address)?;
        Ok((address, server))
    }

    /// Reads the slot map from one node.
    pub(super) async fn read_slots(&self) -> RedisResult<SlotMap> {
        let (address, server) = self.any()?;
        let mut pooled = server.dedicated().await?;
        let dedicated = pooled.connection().ok_or_else(no_node)?;
        let slots = SlotMap::read(ask_for_slots(&mut dedicated.connection).await?, &address);
        pooled.return_to_pool();
        slots
    }

    /// Refreshes the slot map over new connections.
    pub(super) async fn find_slots(&self) -> RedisResult<Arc<SlotMap>> {
        let slots = self.0.ask_for_slots().await?;
        self.0.adopt(slots);
        Ok(self.0.slots())
    }

    /// Returns the server at an address.
    pub(super) fn server_at(&self, address: &Address) -> RedisResult<Server> {
        self.0.server_at(address)
    }

    /// Returns the connector of the node at an address.
    pub(super) fn connector_at(&self, address: &Address) -> RedisResult<Connector> {
        self.0.connector_at(address)
    }

    /// Returns the redirection in an error.
    pub(super) fn redirect(&self, error: &RedisError) -> Option<Redirect> {
        let asking = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => true,
            ErrorKind::Server(ServerErrorKind::Moved) => false,
            _ => return None,
        };
        if !asking {
            self.refresh();
        }
        let (address, _) = error.redirect_node()?;
        let (host, port) = address.rsplit_once(':')?;
        // Without a host, the node means its own, which a proxy may hide. The slot map has it.
        if host.is_empty() {
            return None;
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = Address::new(host, port.parse().ok()?);
        let server = self.0.server_at(&address).ok()?;
        Some(Redirect { server, asking })
    }

    /// Refreshes the slot map in the background.
    pub(super) fn refresh(&self) {
        if self.0.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let refreshing = Refreshing(self.clone());
        tokio::spawn(async move {
            let Self(inner) = &refreshing.0;
            if let Ok(slots) = inner.ask_for_slots().await {
                inner.adopt(slots);
            }
            tokio::time::sleep(PAUSE).await;
        });
    }
}

/// Allows the next refresh when it is dropped, even if the runtime stops the task.
struct Refreshing(Cluster);

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.0.refreshing.store(false, Ordering::Release);
    }
}

impl Inner {
    fn slots(&self) -> Arc<SlotMap> {
        Arc::clone(&self.slots.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn adopt(&self, slots: SlotMap) {
        let slots = Arc::new(slots);
        self.servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|address, _| slots.nodes().contains(&address));
        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots;
    }

    fn connector_at(&self, address: &Address) -> RedisResult<Connector> {
        let node = self.options.node(address)?;
        Ok(Connector::with_client(node, self.connect_timeout))
    }

    fn server_at(&self, address: &Address) -> RedisResult<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            return Ok(server.clone());
        }
        let server = Server::opening(self.connector_at(address)?, self.operation_timeout)?;
        servers.insert(address.clone(), server.clone());
        Ok(server)
    }

    /// Returns the slot map of the majority. A node without a connection to the others may still name itself.
    async fn ask_for_slots(&self) -> RedisResult<SlotMap> {
        let known = self.slots();
        let mut nodes: Vec<&Address> = known.nodes();
        nodes.extend(
            self.seeds
                .iter()
                .filter(|seed| !known.nodes().contains(seed)),
        );
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % nodes.len().max(1);
        nodes.rotate_left(turn);
        nodes.truncate(NODES_ASKED);
        let asked = nodes.len();
        let mut replies: FuturesUnordered<_> =
            nodes.into_iter().map(|node| self.slots_by(node)).collect();
        let mut votes: Vec<(SlotMap, usize)> = Vec::new();
        let mut failed = no_node();
        while let Some(answer) = replies.next().await {
            let slots = match answer {
                Ok(slots) => slots,
                Err(error) => {
                    if is_more_specific(&error, &failed) {
                        failed = error;
                    }
                    continue;
                }
            };
            let same = votes.iter().position(|(other, _)| *other == slots);
            let at = same.unwrap_or_else(|| {
                votes.push((slots, 0));
                votes.len() - 1
            });
            votes[at].1 += 1;
            if votes[at].1 * 2 > asked {
                return Ok(votes.swap_remove(at).0);
            }
        }
        let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
        most.map(|(slots, _)| slots).ok_or(failed)
    }

    /// Reads the slot map from a node over a new connection, since existing ones may be half-open.
    async fn slots_by(&self, node: &Address) -> RedisResult<SlotMap> {
        let asking = async {
            let mut connection = self.connector_at(node)?.connect().await?;
            SlotMap::read(ask_for_slots(&mut connection).await?, node)
        };
        match tokio::time::timeout(self.connect_timeout, asking).await {
            Ok(slots) => slots,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }
}

/// Sends `CLUSTER SLOTS`.
async fn ask_for_slots(connection: &mut Connection) -> RedisResult<Value> {
    let mut slots = redis::cmd("CLUSTER");
    slots.arg("SLOTS");
    connection.command(&slots).await
}

/// The slot map: the primary of each range of slots, by the first slot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SlotMap(Vec<(u16, u16, Address)>);

impl SlotMap {
    /// Parses the reply of `node` to `CLUSTER SLOTS`.
    pub(super) fn read(answer: Value, node: &Address) -> RedisResult<Self> {
        let ranges: Vec<Vec<Value>> = redis::from_redis_value(answer)?;
        let mut slots = Vec::new();
        for range in ranges {
            let mut parts = range.into_iter();
            let mut next = || parts.next().ok_or_else(malformed);
            let (first, last) = (next()?, next()?);
            let primary: Vec<Value> = redis::from_redis_value(next()?)?;
            let mut parts = primary.into_iter();
            let mut next = || parts.next().ok_or_else(malformed);
            // A node that does not know its own host leaves it out.
            let host: Option<String> = redis::from_redis_value(next()?)?;
            let host = host.filter(|host| !host.is_empty() && host != "?");
            let port = redis::from_redis_value(next()?)?;
            slots.push((
                redis::from_redis_value(first)?,
                redis::from_redis_value(last)?,
                Address::new(host.unwrap_or_else(|| node.host.clone()), port),
            ));
        }
        if slots.is_empty() {
            return Err(no_node());
        }
        slots.sort_by_key(|(first, ..)| *first);
        Ok(Self(slots))
    }

    /// Returns the ranges, each with its first slot, its last slot and its primary.
    pub(super) fn ranges(&self) -> &[(u16, u16, Address)] {
        &self.0
    }

    /// Returns the primary that has the slot of `key`.
    pub(super) fn node_of(&self, key: &[u8]) -> Option<&Address> {
        let slot = slot_of(key);
        let after = self.0.partition_point(|(first, ..)| *first <= slot);
        let (_, last, node) = self.0.get(after.checked_sub(1)?)?;
        (slot <= *last).then_some(node)
    }

    /// Returns the primaries.
    pub(super) fn nodes(&self) -> Vec<&Address> {
        let mut nodes: Vec<&Address> = Vec::new();
        for (.., node) in &self.0 {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        nodes
    }
}

/// Returns the slot of a key: the CRC-16 (XMODEM) of its hash tag, or of the whole key.
fn slot_of(key: &[u8]) -> u16 {
    let hashed = key
        .iter()
        .position(|byte| *byte == b'{')
        .and_then(|open| {
            let rest = &key[open + 1..];
            let close = rest.iter().position(|byte| *byte == b'}')?;
            (close > 0).then(|| &rest[..close])
        })
        .unwrap_or(key);
    let crc = hashed.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    crc % 16_384
}

fn no_node() -> RedisError {
    (
        ErrorKind::ClusterConnectionNotFound,
        "no node of the cluster has the slot",
    )
        .into()
}

fn malformed() -> RedisError {
    (
        ErrorKind::UnexpectedReturnType,
        "the reply to CLUSTER SLOTS cannot be read",
    )
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that `CLUSTER KEYSLOT` answers.
    #[test]
    fn a_key_has_the_slot_that_the_servers_give_it() {
        for (key, slot) in [
            ("", 0),
            ("123456789", 12_739),
            ("foo", 12_182),
            ("bar", 5_061),
            ("tc:{foo}", 12_182),
            ("{foo}:{bar}", 12_182),
            ("foo{}{bar}", 8_363),
            ("foo{{bar}}zap", 4_015),
        ] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
    }

    #[test]
    fn the_slots_of_an_answer_lead_to_its_primaries() {
        let answer = redis::parse_redis_value(
            b"*2\r\n*3\r\n:8192\r\n:16383\r\n*2\r\n$4\r\nhost\r\n:7001\r\n*3\r\n:0\r\n:8000\r\n*2\r\n$0\r\n\r\n:7000\r\n",
        )
        .unwrap();
        let slots = SlotMap::read(answer, &Address::new("asked", 1)).unwrap();
        let (first, second) = (Address::new("asked", 7000), Address::new("host", 7001));
        assert_eq!(slots.nodes(), [&first, &second]);
        assert_eq!(slots.node_of(b"bar"), Some(&first));
        assert_eq!(slots.node_of(b"foo"), Some(&second));
        // No node has the slots 8,001 to 8,191.
        assert_eq!(slots.node_of(b"{gap-1}"), None);
    }
}

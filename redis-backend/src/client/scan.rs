use redis::{Cmd, RedisResult, Value};
use token_cache_core::Result;

use super::{Client, connection::Connection, pool::Line, reply::Reply};
use crate::error::{from_driver, timed_out};

/// Some keys, and where to go on.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) keys: Vec<Vec<u8>>,
    /// None at the end.
    pub(crate) next: Option<Position>,
}

/// Where a scan stands. It means something to the servers it was made on only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// Which servers: changes when one restarts, or the slots move.
    pub(crate) servers: String,
    /// Which of them.
    pub(crate) node: usize,
    /// The server's own cursor.
    pub(crate) cursor: u64,
}

const OPERATION: &str = "list accounts";

impl Client {
    /// Some keys that match; from the start where the servers are not those of `from` any more.
    pub(crate) async fn scan(
        &self,
        pattern: &[u8],
        count: usize,
        from: Option<&Position>,
    ) -> Result<Scanned> {
        let scanning = async {
            let mut taken = self.dedicated().await?;
            let scanned = scan_on(taken.line(), pattern, count, from).await;
            self.give_back(taken, scanned.as_ref().err());
            scanned
        };
        match tokio::time::timeout(self.operation_timeout(), scanning).await {
            Ok(scanned) => scanned.map_err(|error| from_driver(OPERATION, error)),
            Err(_) => Err(timed_out(OPERATION)),
        }
    }
}

async fn scan_on(
    line: &mut Line,
    pattern: &[u8],
    count: usize,
    from: Option<&Position>,
) -> RedisResult<Scanned> {
    let nodes = Nodes::of(line).await?;
    let (node, cursor) = match from {
        Some(from) if from.servers == nodes.servers => (from.node, from.cursor),
        _ => (0, 0),
    };
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor)
        .arg("MATCH")
        .arg(pattern)
        .arg("COUNT")
        .arg(count);
    let (cursor, keys): (u64, Vec<Vec<u8>>) =
        redis::from_redis_value(nodes.ask(line, node, scan).await?)?;
    let next = match cursor {
        0 if node + 1 >= nodes.addresses.len() => None,
        0 => Some((node + 1, 0)),
        cursor => Some((node, cursor)),
    };
    let next = next.map(|(node, cursor)| Position {
        servers: nodes.servers,
        node,
        cursor,
    });
    Ok(Scanned { keys, next })
}

/// The servers that a scan visits, one after the other.
struct Nodes {
    servers: String,
    /// Empty where the connection leads to one server.
    addresses: Vec<(String, u16)>,
}

impl Nodes {
    async fn of(line: &mut Line) -> RedisResult<Self> {
        #[cfg(feature = "cluster")]
        if let Connection::Cluster(cluster) = &mut line.connection {
            return of_cluster(cluster).await;
        }
        let Line {
            connection, server, ..
        } = line;
        let servers = server
            .get_or_try_init(async || run_id(info(connection).await?))
            .await?
            .clone();
        Ok(Self {
            servers,
            addresses: Vec::new(),
        })
    }

    async fn ask(&self, line: &mut Line, node: usize, command: Cmd) -> RedisResult<Value> {
        match (&mut line.connection, self.addresses.get(node)) {
            (Connection::Node(connection), _) => connection
                .send_packed_command(&command)
                .await
                .and_then(Value::extract_error),
            #[cfg(feature = "cluster")]
            (Connection::Cluster(cluster), Some((host, port))) => {
                cluster.send_to_node(command, host, *port).await
            }
            #[cfg(feature = "cluster")]
            (Connection::Cluster(_), None) => Err(malformed()),
        }
    }
}

/// The primaries by their first slot; they are others as soon as one restarted or a slot moved.
#[cfg(feature = "cluster")]
async fn of_cluster(cluster: &mut super::cluster::ClusterConnection) -> RedisResult<Nodes> {
    type Range = (u16, u16, Vec<Value>);
    let mut slots = redis::cmd("CLUSTER");
    slots.arg("SLOTS");
    let mut ranges: Vec<Vec<Value>> = redis::from_redis_value(cluster.send_to_any(slots).await?)?;
    let mut shape: Vec<Range> = Vec::new();
    for range in &mut ranges {
        let mut parts = range.drain(..);
        let mut next = || parts.next().ok_or_else(malformed);
        let (first, last) = (next()?, next()?);
        shape.push((
            redis::from_redis_value(first)?,
            redis::from_redis_value(last)?,
            redis::from_redis_value(next()?)?,
        ));
    }
    shape.sort_by_key(|(first, ..)| *first);
    let mut nodes = Nodes {
        servers: String::new(),
        addresses: Vec::new(),
    };
    for (first, last, node) in shape {
        let mut parts = node.into_iter();
        let mut next = || parts.next().ok_or_else(malformed);
        let address: (String, u16) = (
            redis::from_redis_value(next()?)?,
            redis::from_redis_value(next()?)?,
        );
        nodes.servers.push_str(&first.to_string());
        nodes.servers.push('-');
        nodes.servers.push_str(&last.to_string());
        if !nodes.addresses.contains(&address) {
            let info = cluster
                .send_to_node(info_command(), &address.0, address.1)
                .await?;
            nodes.servers.push_str(&run_id(info)?);
            nodes.addresses.push(address);
        }
        nodes.servers.push('.');
    }
    Ok(nodes)
}

async fn info(connection: &mut Connection) -> RedisResult<Value> {
    match connection {
        Connection::Node(node) => node
            .send_packed_command(&info_command())
            .await
            .and_then(Value::extract_error),
        #[cfg(feature = "cluster")]
        Connection::Cluster(cluster) => cluster.send_to_any(info_command()).await,
    }
}

fn info_command() -> Cmd {
    let mut info = redis::cmd("INFO");
    info.arg("server");
    info
}

fn run_id(info: Value) -> RedisResult<String> {
    let info: String = redis::from_redis_value(info)?;
    info.lines()
        .find_map(|line| line.strip_prefix("run_id:"))
        .map(|id| id.trim().to_owned())
        .ok_or_else(malformed)
}

fn malformed() -> redis::RedisError {
    (
        redis::ErrorKind::UnexpectedReturnType,
        "the server does not say which it is",
    )
        .into()
}

impl Client {
    /// A command that any server answers, of those there are.
    pub(crate) async fn ask_any(&self, operation: &'static str, words: &[&str]) -> Result<Reply> {
        let asking = async {
            let mut taken = self.dedicated().await?;
            let mut command = Cmd::new();
            for word in words {
                command.arg(*word);
            }
            let asked = match &mut taken.line().connection {
                Connection::Node(node) => node
                    .send_packed_command(&command)
                    .await
                    .and_then(Value::extract_error),
                #[cfg(feature = "cluster")]
                Connection::Cluster(cluster) => cluster.send_to_any(command).await,
            };
            self.give_back(taken, asked.as_ref().err());
            asked
        };
        match tokio::time::timeout(self.operation_timeout(), asking).await {
            Ok(asked) => asked
                .map(Reply)
                .map_err(|error| from_driver(operation, error)),
            Err(_) => Err(timed_out(operation)),
        }
    }
}

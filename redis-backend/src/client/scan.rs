use redis::{Cmd, RedisResult, Value};
use token_cache_core::Result;

use super::{
    Client, Source,
    pool::PooledConnection,
    reply::Reply,
    server::{CloseIdleUnlessAnswered, Server},
};
use crate::error::{classify, from_redis_error, timed_out};

/// A page of keys, and the position of the next page.
#[derive(Debug)]
pub(crate) struct ScanPage {
    pub(crate) keys: Vec<Vec<u8>>,
    /// `None` at the end.
    pub(crate) next: Option<ScanPosition>,
}

/// The position of a scan. It is valid only for the servers that returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanPosition {
    /// Identifies the servers. It changes when one restarts or a slot moves.
    pub(crate) servers: String,
    /// The index of the server.
    pub(crate) node: usize,
    /// The cursor of the server.
    pub(crate) cursor: u64,
}

const OPERATION: &str = "list accounts";

impl Client {
    /// Returns a page of matching keys. Starts again if the servers have changed since `from`.
    pub(crate) async fn scan(
        &self,
        pattern: &[u8],
        count: usize,
        from: Option<&ScanPosition>,
    ) -> Result<ScanPage> {
        let scanning = self.scan_page(pattern, count, from);
        let Ok(scanned) = tokio::time::timeout(self.operation_timeout(), scanning).await else {
            self.source.check_topology();
            return Err(timed_out(OPERATION));
        };
        scanned.map_err(|error| from_redis_error(OPERATION, error))
    }

    async fn scan_page(
        &self,
        pattern: &[u8],
        count: usize,
        from: Option<&ScanPosition>,
    ) -> RedisResult<ScanPage> {
        let nodes = self.nodes().await?;
        let (node, cursor) = match from {
            Some(from) if from.servers == nodes.names => (from.node, from.cursor),
            _ => (0, 0),
        };
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(count);
        let server = nodes.servers.get(node).ok_or_else(malformed)?;
        let answer = ask(server, &scan).await?;
        let (cursor, keys): (u64, Vec<Vec<u8>>) = redis::from_redis_value(answer)?;
        let next = match cursor {
            0 if node + 1 >= nodes.servers.len() => None,
            0 => Some((node + 1, 0)),
            cursor => Some((node, cursor)),
        };
        let next = next.map(|(node, cursor)| ScanPosition {
            servers: nodes.names,
            node,
            cursor,
        });
        Ok(ScanPage { keys, next })
    }

    /// Returns the current servers. On a Cluster they are the primaries by their first slot.
    async fn nodes(&self) -> RedisResult<Nodes> {
        match &self.source {
            Source::Server(server, _) => Nodes::one(server.clone()).await,
            #[cfg(feature = "cluster")]
            Source::Cluster(cluster) => {
                let slots = cluster.read_slots().await?;
                let mut nodes = Nodes {
                    names: String::new(),
                    servers: Vec::new(),
                };
                let mut addresses = Vec::new();
                for (first, last, address) in slots.ranges() {
                    nodes.names.push_str(&first.to_string());
                    nodes.names.push('-');
                    nodes.names.push_str(&last.to_string());
                    if !addresses.contains(&address) {
                        let server = cluster.server_at(address)?;
                        nodes.names.push_str(&run_id(&server).await?);
                        nodes.servers.push(server);
                        addresses.push(address);
                    }
                    nodes.names.push('.');
                }
                Ok(nodes)
            }
        }
    }
}

/// The servers that a scan visits, in order.
struct Nodes {
    /// Changes when a server restarts or a slot moves.
    names: String,
    servers: Vec<Server>,
}

impl Nodes {
    async fn one(server: Server) -> RedisResult<Self> {
        Ok(Self {
            names: run_id(&server).await?,
            servers: vec![server],
        })
    }
}

async fn ask(server: &Server, command: &Cmd) -> RedisResult<Value> {
    let pooled = server.dedicated().await?;
    let (answer, pooled) = ask_on(pooled, server, command).await?;
    pooled.return_to_pool();
    Ok(answer)
}

/// Sends a command on a dedicated connection. If the connection fails or the request is cancelled, closes it and the idle connections.
async fn ask_on(
    mut pooled: PooledConnection,
    server: &Server,
    command: &Cmd,
) -> RedisResult<(Value, PooledConnection)> {
    let dedicated = pooled.connection().ok_or_else(malformed)?;
    let close_idle = CloseIdleUnlessAnswered::of(server);
    match dedicated.connection.command(command).await {
        Err(error) if classify(&error).lost => Err(error),
        Err(error) => {
            close_idle.answered();
            pooled.return_to_pool();
            Err(error)
        }
        Ok(answer) => {
            close_idle.answered();
            Ok((answer, pooled))
        }
    }
}

/// Returns the `run_id` of a server, which changes with a restart. A connection caches it.
async fn run_id(server: &Server) -> RedisResult<String> {
    let mut pooled = server.dedicated().await?;
    if let Some(known) = pooled
        .connection()
        .and_then(|dedicated| dedicated.server.clone())
    {
        pooled.return_to_pool();
        return Ok(known);
    }
    let mut info = redis::cmd("INFO");
    info.arg("server");
    let (info, mut pooled) = ask_on(pooled, server, &info).await?;
    let info: String = redis::from_redis_value(info)?;
    let id = info
        .lines()
        .find_map(|line| line.strip_prefix("run_id:"))
        .map(|id| id.trim().to_owned())
        .ok_or_else(malformed)?;
    if let Some(dedicated) = pooled.connection() {
        dedicated.server = Some(id.clone());
    }
    pooled.return_to_pool();
    Ok(id)
}

fn malformed() -> redis::RedisError {
    (
        redis::ErrorKind::UnexpectedReturnType,
        "the reply to INFO has no `run_id`",
    )
        .into()
}

impl Client {
    /// Sends a command to any of the servers.
    pub(crate) async fn ask_any(&self, operation: &'static str, words: &[&str]) -> Result<Reply> {
        let asking = async {
            let mut command = Cmd::new();
            for word in words {
                command.arg(*word);
            }
            let server = match &self.source {
                Source::Server(server, _) => server.clone(),
                #[cfg(feature = "cluster")]
                Source::Cluster(cluster) => cluster.any()?.1,
            };
            ask(&server, &command).await
        };
        match tokio::time::timeout(self.operation_timeout(), asking).await {
            Ok(asked) => asked
                .map(Reply)
                .map_err(|error| from_redis_error(operation, error)),
            Err(_) => Err(timed_out(operation)),
        }
    }
}

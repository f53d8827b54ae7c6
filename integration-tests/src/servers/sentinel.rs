use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::process::Process;
use super::resp::{Client, Value};
use super::{Proxy, RedisOptions, RedisServer, ReplicatedRedis, ServerError, binary, wait};

const SENTINELS: usize = 3;
const QUORUM: usize = 2;
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const AGREE_LIMIT: Duration = Duration::from_secs(30);
const FAILOVER_LIMIT: Duration = Duration::from_secs(30);

/// How long a server must be silent to be considered down. A sentinel sends its first request to a newly discovered server after a second.
/// With a shorter time, every failover looks like the death of the new primary, and failovers never end.
const DOWN_AFTER: Duration = Duration::from_millis(1_500);

/// Longer than any test.
const PATIENT_DOWN_AFTER: Duration = Duration::from_secs(60);

/// A local primary with one replica, monitored by three sentinels that fail over within about two seconds.
#[derive(Debug)]
pub struct SentinelSetup {
    sentinels: Vec<Sentinel>,
    servers: ReplicatedRedis,
}

impl SentinelSetup {
    /// The name of the primary at the sentinels.
    pub const SERVICE: &str = "token-cache";

    /// Starts the servers and the sentinels, and waits until each sentinel knows the replica and the other sentinels (about 2 s).
    ///
    /// # Errors
    /// A server does not start, or the sentinels do not find each other.
    pub fn start(options: RedisOptions) -> Result<Self, ServerError> {
        let servers = ReplicatedRedis::start(options)?;
        let primary = servers.primary().port();
        Self::watching(servers, primary, DOWN_AFTER)
    }

    /// Starts them with a proxy in front of the primary, whose address the sentinels return for it. They wait a minute before they
    /// consider it down, so that faults of the proxy cause no failover.
    ///
    /// # Errors
    /// As [`start`](Self::start), or no port is free.
    pub fn behind_proxy(options: RedisOptions) -> Result<(Self, Proxy), ServerError> {
        let servers = ReplicatedRedis::start(options)?;
        let proxy = Proxy::start(servers.primary().address())?;
        let setup = Self::watching(servers, proxy.address().port(), PATIENT_DOWN_AFTER)?;
        Ok((setup, proxy))
    }

    fn watching(
        servers: ReplicatedRedis,
        primary: u16,
        down_after: Duration,
    ) -> Result<Self, ServerError> {
        let password = servers.primary().password().map(str::to_owned);
        let sentinels = (0..SENTINELS)
            .map(|_| Sentinel::start(primary, password.as_deref(), down_after))
            .collect::<Result<Vec<_>, _>>()?;
        let setup = Self { sentinels, servers };
        wait::until(AGREE_LIMIT, "the sentinels do not agree", || {
            setup
                .sentinels
                .iter()
                .all(Sentinel::knows_all_servers)
                .then_some(())
        })?;
        Ok(setup)
    }

    /// Returns the addresses of the sentinels.
    pub fn sentinels(&self) -> Vec<SocketAddr> {
        self.sentinels
            .iter()
            .map(|sentinel| sentinel.port.address())
            .collect()
    }

    /// Returns the primary's address, as the first sentinel reports it.
    ///
    /// # Errors
    /// The sentinel does not answer.
    pub fn current_primary(&self) -> Result<SocketAddr, ServerError> {
        let sentinel = self
            .sentinels
            .first()
            .ok_or_else(|| ServerError::new("there is no sentinel"))?;
        sentinel.primary()
    }

    /// Makes a sentinel begin a failover although the primary is up, as an operator would before maintenance. The old primary accepts
    /// writes until it is demoted, about ten seconds later.
    ///
    /// # Errors
    /// The sentinel refuses.
    pub fn ask_for_failover(&self) -> Result<(), ServerError> {
        let sentinel = self
            .sentinels
            .first()
            .ok_or_else(|| ServerError::new("there is no sentinel"))?;
        sentinel
            .call(&["SENTINEL", "FAILOVER", SentinelSetup::SERVICE])
            .map(drop)
    }

    /// Waits until every sentinel names the server that began as replica, and that server reports that it is a primary.
    ///
    /// # Errors
    /// No failover within 30 s.
    pub fn wait_for_failover(&self) -> Result<(), ServerError> {
        let replica = self.servers.replica();
        wait::until(FAILOVER_LIMIT, "the sentinels do not fail over", || {
            let named = |sentinel: &Sentinel| {
                sentinel
                    .primary()
                    .is_ok_and(|primary| primary == replica.address())
            };
            let promoted = || replica.role().as_deref() == Some("master");
            (self.sentinels.iter().all(named) && promoted()).then_some(())
        })
    }

    /// Kills the primary, and waits until the sentinels name the other server and that is a primary. Then starts the killed one again,
    /// which becomes its replica.
    ///
    /// # Errors
    /// There is no failover within 30 s, or the killed one does not follow.
    pub fn fail_over(&mut self) -> Result<(), ServerError> {
        let before = self.current_primary()?;
        let began_as_primary = self.servers.primary().address() == before;
        let killed = if began_as_primary {
            self.servers.primary_mut()
        } else {
            self.servers.replica_mut()
        };
        killed.kill9()?;
        wait::until(FAILOVER_LIMIT, "the sentinels do not fail over", || {
            let serving = self.serving().ok()?;
            (serving.address() != before && serving.role()? == "master").then_some(())
        })?;
        let killed = if began_as_primary {
            self.servers.primary_mut()
        } else {
            self.servers.replica_mut()
        };
        killed.restart()?;
        wait::until(FAILOVER_LIMIT, "the old primary does not follow", || {
            let servers = [self.servers.primary(), self.servers.replica()];
            let old = servers.iter().find(|one| one.address() == before)?;
            let info = old.cli(&["INFO", "replication"]).ok()?;
            let info = info.text()?;
            let follows = info.contains("role:slave") && info.contains("master_link_status:up");
            follows.then_some(())
        })
    }

    /// Returns the server that every sentinel names as the primary.
    ///
    /// # Errors
    /// The sentinels do not answer, or do not agree.
    pub fn serving(&self) -> Result<&RedisServer, ServerError> {
        let named: Vec<SocketAddr> = self
            .sentinels
            .iter()
            .map(Sentinel::primary)
            .collect::<Result<_, _>>()?;
        [self.servers.primary(), self.servers.replica()]
            .into_iter()
            .find(|server| named.iter().all(|named| *named == server.address()))
            .ok_or_else(|| ServerError::new("the sentinels do not agree on a primary"))
    }

    /// Returns the two servers.
    pub fn servers(&self) -> &ReplicatedRedis {
        &self.servers
    }

    /// Returns the two servers, to kill or restart one.
    pub fn servers_mut(&mut self) -> &mut ReplicatedRedis {
        &mut self.servers
    }

    /// Returns the server that began as primary.
    pub fn primary(&self) -> &RedisServer {
        self.servers.primary()
    }
}

#[derive(Debug)]
struct Sentinel {
    process: Process,
    port: Port,
    /// A sentinel rewrites its configuration file, so each has a folder of its own.
    _folder: TempDir,
}

impl Sentinel {
    fn start(
        primary: u16,
        password: Option<&str>,
        down_after: Duration,
    ) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new()
            .prefix("token-cache-sentinel-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let port = Port::reserve()?;
        let service = SentinelSetup::SERVICE;
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {}", port.number()),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {service} 127.0.0.1 {primary} {QUORUM}"),
            format!(
                "sentinel down-after-milliseconds {service} {}",
                down_after.as_millis()
            ),
            format!("sentinel failover-timeout {service} 2000"),
        ];
        lines.extend(password.map(|password| format!("sentinel auth-pass {service} {password}")));
        let file = folder.path().join("sentinel.conf");
        fs::write(&file, lines.join("\n") + "\n").map_err(ServerError::during(file.display()))?;
        let args = [file.display().to_string(), "--sentinel".to_owned()];
        let log = folder.path().join("output.log");
        let process = Process::start(&binary::redis_server()?, &args, log)?;
        Ok(Self {
            process,
            port,
            _folder: folder,
        })
    }

    fn call(&self, command: &[&str]) -> Result<Value, ServerError> {
        let answer = Client::connect(self.port.address(), CALL_TIMEOUT)
            .and_then(|mut client| client.call(command));
        answer.map_err(|error| {
            ServerError::new(format!(
                "sentinel: {error}. Its output:\n{}",
                self.process.output()
            ))
        })
    }

    fn knows_all_servers(&self) -> bool {
        let service = SentinelSetup::SERVICE;
        let count = |what| {
            self.call(&["SENTINEL", what, service])
                .ok()
                .and_then(|answer| answer.items().map(<[Value]>::len))
        };
        count("SENTINELS") == Some(SENTINELS - 1)
            && count("REPLICAS") == Some(1)
            && self.call(&["SENTINEL", "CKQUORUM", service]).is_ok()
    }

    fn primary(&self) -> Result<SocketAddr, ServerError> {
        let service = SentinelSetup::SERVICE;
        let answer = self.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service])?;
        let port = answer
            .items()
            .and_then(|items| items.get(1))
            .and_then(Value::text);
        let port = port.and_then(|port| port.parse::<u16>().ok());
        let port = port.ok_or_else(|| ServerError::new("the sentinel names no primary"))?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

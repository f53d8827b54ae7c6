use std::time::Duration;

use super::{RedisOptions, RedisServer, ServerError, wait};

const SYNC_LIMIT: Duration = Duration::from_secs(20);

/// A local primary with one replica.
#[derive(Debug)]
pub struct ReplicatedRedis {
    primary: RedisServer,
    replica: RedisServer,
}

impl ReplicatedRedis {
    /// Starts both with the same options, and waits until the replica follows.
    ///
    /// # Errors
    /// A server does not start, or the replica does not follow.
    pub fn start(options: RedisOptions) -> Result<Self, ServerError> {
        let primary = RedisServer::start(options.clone())?;
        let replica_of = Some(primary.port());
        let replica = RedisServer::start(RedisOptions {
            replica_of,
            ..options
        })?;
        let pair = Self { primary, replica };
        pair.wait_until_in_step()?;
        Ok(pair)
    }

    /// Waits until the replica has everything that the primary has written.
    ///
    /// # Errors
    /// It does not catch up within 20 s.
    pub fn wait_until_in_step(&self) -> Result<(), ServerError> {
        wait::until(SYNC_LIMIT, "the replica does not follow", || {
            let offset = |server: &RedisServer, field| field_of(server, "replication", field);
            let primary = offset(&self.primary, "master_repl_offset")?;
            let replica = offset(&self.replica, "slave_repl_offset")?;
            let linked = offset(&self.replica, "master_link_status")? == "up";
            (linked && primary == replica).then_some(())
        })
    }

    /// Isolates the replica: the primary continues to answer, and the replica gets none of it until [`rejoin`](Self::rejoin) or a failover.
    ///
    /// The replica is paused, and the primary closes the replication connection. Bytes in the socket of a replica that is only paused
    /// would still be applied when it continues.
    ///
    /// # Errors
    /// A server is down.
    pub fn cut_replica_off(&self) -> Result<(), ServerError> {
        self.replica.pause()?;
        self.primary.cli(&["CLIENT", "KILL", "TYPE", "replica"])?;
        wait::until(
            SYNC_LIMIT,
            "the primary still has a connection to the replica",
            || {
                let replicas = field_of(&self.primary, "replication", "connected_slaves")?;
                (replicas == "0").then_some(())
            },
        )
    }

    /// Undoes [`cut_replica_off`](Self::cut_replica_off): the replica continues and catches up.
    ///
    /// # Errors
    /// It does not catch up.
    pub fn rejoin(&self) -> Result<(), ServerError> {
        self.replica.resume()?;
        self.wait_until_in_step()
    }

    /// Runs `write` so that only the primary has it, and kills the primary. The write was acknowledged, and is lost once the replica is
    /// promoted.
    ///
    /// # Errors
    /// A server is down.
    pub fn lose<T>(&mut self, write: impl FnOnce(&RedisServer) -> T) -> Result<T, ServerError> {
        self.cut_replica_off()?;
        let written = write(&self.primary);
        self.primary.kill9()?;
        self.replica.resume()?;
        Ok(written)
    }

    /// Makes the replica a primary, as an operator would by hand.
    ///
    /// # Errors
    /// It is down.
    pub fn promote(&self) -> Result<(), ServerError> {
        self.replica.cli(&["REPLICAOF", "NO", "ONE"])?;
        wait::until(SYNC_LIMIT, "the replica is not promoted", || {
            (field_of(&self.replica, "replication", "role")? == "master").then_some(())
        })
    }

    /// Returns the server that began as primary.
    pub fn primary(&self) -> &RedisServer {
        &self.primary
    }

    /// Returns the server that began as primary, to kill or restart it.
    pub fn primary_mut(&mut self) -> &mut RedisServer {
        &mut self.primary
    }

    /// Returns the server that began as replica.
    pub fn replica(&self) -> &RedisServer {
        &self.replica
    }

    /// Returns the server that began as replica, to kill or restart it.
    pub fn replica_mut(&mut self) -> &mut RedisServer {
        &mut self.replica
    }
}

/// Returns one field of `INFO section`.
fn field_of(server: &RedisServer, section: &str, field: &str) -> Option<String> {
    let info = server.cli(&["INFO", section]).ok()?;
    let prefix = format!("{field}:");
    info.text()?
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
}

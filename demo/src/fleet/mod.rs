mod providers;
mod servers;
mod wire;

use std::path::Path;

use self::{providers::Providers, servers::Process, wire::Wire};
pub(crate) use self::{
    servers::serve_stdio,
    wire::{Pending, Server},
};
use crate::{
    caches::{CacheKind, ServerCaches},
    failure::Failure,
    story::ServerName,
};
use token_cache_dev_provider::DevelopmentProvider;

/// Three app servers, and the providers where their users sign in.
#[derive(Debug)]
pub struct Fleet {
    servers: [Server; 3],
    providers: Providers,
    store: String,
    kind: &'static str,
    _processes: Vec<Process>,
}

impl Fleet {
    /// Three servers that are tasks of this process.
    ///
    /// # Errors
    /// Where a server does not come up.
    pub async fn of_tasks(caches: [ServerCaches; 3]) -> Result<Self, Failure> {
        let wires = caches.map(servers::start_task);
        Self::connect(wires, None, Vec::new(), "tasks").await
    }

    /// Three servers that are processes: `program`, which is this crate's, each with the store at `url` opened for itself.
    ///
    /// # Errors
    /// Where a process can't be started, or can't open the store.
    pub async fn of_processes(program: &Path, url: &str) -> Result<Self, Failure> {
        let (a, wire_a) = servers::start_process(program)?;
        let (b, wire_b) = servers::start_process(program)?;
        let (c, wire_c) = servers::start_process(program)?;
        let wires = [wire_a, wire_b, wire_c];
        Self::connect(wires, Some(url), vec![a, b, c], "processes").await
    }

    /// Each server has an address first; then the providers know whom to tell; then the servers know where users sign in.
    async fn connect(
        wires: [Wire; 3],
        url: Option<&str>,
        processes: Vec<Process>,
        kind: &'static str,
    ) -> Result<Self, Failure> {
        use ServerName::{A, B, C};
        let [mut a, mut b, mut c] = wires;
        let origins = [a.origin(A).await?, b.origin(B).await?, c.origin(C).await?];
        let (providers, registrations) = Providers::start(&origins)?;
        let (a, store) = Server::open(A, a, url, &registrations).await?;
        let (b, _) = Server::open(B, b, url, &registrations).await?;
        let (c, _) = Server::open(C, c, url, &registrations).await?;
        Ok(Self {
            servers: [a, b, c],
            providers,
            store,
            kind,
            _processes: processes,
        })
    }

    /// How the store calls itself.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Returns the kind of the servers: `tasks` or `processes`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn server(&self, name: ServerName) -> &Server {
        let [a, b, c] = &self.servers;
        match name {
            ServerName::A => a,
            ServerName::B => b,
            ServerName::C => c,
        }
    }

    pub(crate) fn provider(&self, kind: CacheKind) -> &DevelopmentProvider {
        self.providers.of(kind)
    }
}

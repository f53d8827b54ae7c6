mod processes;
mod stdio;
mod tasks;
mod wire;

use std::{path::Path, sync::Arc};

use self::{processes::Process, wire::Wire};
pub(crate) use self::{
    stdio::serve_stdio,
    wire::{Pending, Server},
};
use crate::{
    columns::{Column, Columns},
    failure::Failure,
    provider::Provider,
    story::ServerName,
};

/// Three app servers, and the providers they call.
#[derive(Debug)]
pub struct Fleet {
    servers: [Server; 3],
    providers: Arc<Providers>,
    store: String,
    kind: &'static str,
    _processes: Vec<Process>,
}

/// A provider for each column, so that both number their tokens alike.
#[derive(Debug)]
pub(crate) struct Providers {
    token_cache: Provider,
    plain_cache: Provider,
}

impl Fleet {
    /// Three servers that are tasks of this process.
    ///
    /// # Errors
    /// Where a server does not come up.
    pub async fn of_tasks(columns: [Columns; 3]) -> Result<Self, Failure> {
        let wires = columns.map(tasks::start);
        Self::connect(wires, Vec::new(), "tasks").await
    }

    /// Three servers that are processes: `program`, which is this crate's, each with the store at `url` opened for itself.
    ///
    /// # Errors
    /// Where a process can't be started, or can't open the store.
    pub async fn of_processes(program: &Path, url: &str) -> Result<Self, Failure> {
        let (a, wire_a) = processes::start(program, url)?;
        let (b, wire_b) = processes::start(program, url)?;
        let (c, wire_c) = processes::start(program, url)?;
        Self::connect([wire_a, wire_b, wire_c], vec![a, b, c], "processes").await
    }

    async fn connect(
        wires: [Wire; 3],
        processes: Vec<Process>,
        kind: &'static str,
    ) -> Result<Self, Failure> {
        let providers = Arc::new(Providers {
            token_cache: Provider::new(),
            plain_cache: Provider::new(),
        });
        let [a, b, c] = wires;
        let (a, store) = Server::connect(ServerName::A, a, &providers).await?;
        let (b, _) = Server::connect(ServerName::B, b, &providers).await?;
        let (c, _) = Server::connect(ServerName::C, c, &providers).await?;
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

    /// What the servers are: `tasks` or `processes`.
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

    pub(crate) fn provider(&self, column: Column) -> &Provider {
        self.providers.of(column)
    }
}

impl Providers {
    pub(crate) fn of(&self, column: Column) -> &Provider {
        match column {
            Column::TokenCache => &self.token_cache,
            Column::PlainCache => &self.plain_cache,
        }
    }
}

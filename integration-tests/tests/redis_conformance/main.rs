//! The Redis store in the conformance suite, on every supported setup.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod aging;
mod gate;
mod setups;

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Duration,
};

use token_cache_conformance::{Breakable, Harness, NoStore, Sealed, async_trait};
use token_cache_core::{Secret, TokenStore};
use token_cache_redis::{RedisConfig, RedisStore, Topology};

use self::{
    gate::Gate,
    setups::{Server, Setup},
};

/// One setup. Its servers are started when the first check needs them.
struct Redis {
    setup: Setup,
    server: OnceLock<Result<Server, String>>,
}

impl Redis {
    fn server(&self) -> Result<&Server, NoStore> {
        let server = self
            .server
            .get_or_init(|| self.setup.provide().map_err(|why| why.to_string()));
        Ok(server.as_ref().map_err(Clone::clone)?)
    }

    fn config(&self, namespace: &str) -> Result<RedisConfig, NoStore> {
        let mut config = self.server()?.config()?;
        namespace.clone_into(&mut config.prefix);
        Ok(config)
    }
}

#[async_trait]
impl Harness for Redis {
    fn name(&self) -> &'static str {
        self.setup.name()
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(Arc::new(
            RedisStore::connect(self.config(namespace)?).await?,
        ))
    }

    /// Opens a store through a gate, if the store uses only the address that it is given. A Cluster's nodes and a Sentinel's primary are
    /// found by the addresses that they advertise, which bypass a gate.
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        let mut config = self.config(namespace)?;
        let gate = match &mut config.topology {
            Topology::Standalone(address) => {
                let (gate, at) =
                    Gate::to_address(format!("{}:{}", address.host, address.port)).await?;
                address.port = at.port();
                gate
            }
            Topology::Socket(path) => {
                let at = path.with_file_name(format!("{namespace}.gate"));
                let gate = Gate::to_socket(path.clone(), &at)?;
                *path = at;
                gate
            }
            _ => return Ok(Breakable::in_process(self.open(namespace).await?)),
        };
        Ok(Breakable::new(
            Arc::new(RedisStore::connect(config).await?),
            gate,
        ))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        if !by.is_zero() {
            aging::age(&self.server()?.primaries()?, namespace, by).await?;
        }
        Ok(true)
    }
}

fn main() -> ExitCode {
    let harness = |setup| {
        Arc::new(Redis {
            setup,
            server: OnceLock::new(),
        })
    };
    let sealed = Sealed::new(harness(Setup::Standalone), Secret::random().unwrap());
    let mut harnesses: Vec<Arc<dyn Harness>> = Vec::new();
    for setup in Setup::ALL {
        harnesses.push(harness(setup));
    }
    harnesses.push(Arc::new(sealed));
    token_cache_conformance::main(harnesses)
}

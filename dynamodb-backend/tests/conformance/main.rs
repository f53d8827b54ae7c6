//! The DynamoDB store through the suite, on an engine in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../engine/mod.rs"]
mod engine;
mod gate;

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use token_cache_conformance::{Breakable, Harness, NoStore, async_trait};
use token_cache_core::TokenStore;

use self::{engine::Engine, gate::Gate};

/// The engine is started when the first check wants it.
#[derive(Default)]
struct DynamoDb(OnceLock<Result<Engine, String>>);

impl DynamoDb {
    fn engine(&self) -> Result<Engine, NoStore> {
        let start = || Engine::start().map_err(|why| why.to_string());
        Ok(self.0.get_or_init(start).clone()?)
    }
}

#[async_trait]
impl Harness for DynamoDb {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(Arc::new(self.engine()?.store(namespace).await?))
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        let (gate, address) = Gate::to(self.engine()?.address).await?;
        let store = Engine { address }.store(namespace).await?;
        Ok(Breakable::new(Arc::new(store), gate))
    }
}

fn main() -> ExitCode {
    token_cache_conformance::main(DynamoDb::default())
}

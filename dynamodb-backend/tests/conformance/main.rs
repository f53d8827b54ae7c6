//! The conformance suite on the DynamoDB store.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aging;
#[path = "../engine/mod.rs"]
mod engine;
mod gate;

use std::{
    io::Write,
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Duration,
};

use token_cache_conformance::{Breakable, Harness, NoStore, Sealed, async_trait};
use token_cache_core::{Secret, TokenStore};

use self::{engine::Engine, gate::Gate};

/// The variable that names another engine than that of this process, such as DynamoDB itself.
const VARIABLE: &str = "TOKEN_CACHE_TEST_DYNAMODB";

/// Prints the engine, since a run proves only what its engine can show.
fn provide() -> Result<Engine, NoStore> {
    let (how, engine) = match std::env::var(VARIABLE) {
        Ok(named) if !named.is_empty() => {
            let how = format!("the endpoint that {VARIABLE} names, {named}");
            (how, Engine::at(named).with_table()?)
        }
        _ => ("dynoxide in this process".to_owned(), Engine::start()?),
    };
    // Without a standard error the run itself has to do.
    let _ = writeln!(std::io::stderr(), "dynamodb: {how}");
    Ok(engine)
}

/// The engine, which the first check finds or starts.
#[derive(Default)]
struct DynamoDb(OnceLock<Result<Engine, String>>);

impl DynamoDb {
    fn engine(&self) -> Result<Engine, NoStore> {
        let provide = || provide().map_err(|why| why.to_string());
        Ok(self.0.get_or_init(provide).clone()?)
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
        let engine = self.engine()?;
        let Some(server) = engine.address() else {
            // TLS ends at no gate of ours.
            let store = Arc::new(engine.store(namespace).await?);
            return Ok(Breakable::in_process(store));
        };
        let (gate, address) = Gate::to(server).await?;
        let store = Engine::at(format!("http://{address}"));
        let store = store.store(namespace).await?;
        Ok(Breakable::new(Arc::new(store), gate))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        if !by.is_zero() {
            aging::age(self.engine()?, namespace, by).await?;
        }
        Ok(true)
    }
}

fn main() -> ExitCode {
    let bare: Arc<dyn Harness> = Arc::new(DynamoDb::default());
    let sealed = Sealed::new(Arc::clone(&bare), Secret::random().unwrap());
    token_cache_conformance::main(vec![bare, Arc::new(sealed)])
}

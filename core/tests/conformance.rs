//! The memory store through the suite: bare, behind a pointer, and inside the wrappers, the one that seals and the one that
//! fails on demand.

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::{Harness, InProcess};
use token_cache_core::{
    MemoryStore, SealedStore, Sealer, Secret, TokenStore, test_util::FailingStore,
};

fn main() -> token_cache_core::Result<ExitCode> {
    let memory = || Arc::new(MemoryStore::new()) as Arc<dyn TokenStore>;
    let pointer = move || Arc::new(Box::new(memory()) as Box<dyn TokenStore>) as _;
    let failing = move || Arc::new(FailingStore::new(memory())) as _;
    let secret = Secret::random()?;
    let sealed = move || Arc::new(SealedStore::new(memory(), Sealer::new(&secret))) as _;
    Ok(token_cache_conformance::main_of([
        Arc::new(InProcess::new("memory", memory)) as Arc<dyn Harness>,
        Arc::new(InProcess::new("pointer(memory)", pointer)),
        Arc::new(InProcess::new("failing(memory)", failing)),
        Arc::new(InProcess::new("sealed(memory)", sealed)),
    ]))
}

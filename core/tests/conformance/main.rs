//! The memory store through the suite: bare, behind a pointer, and inside the wrappers: the one that seals, the one that fails on
//! demand, and the one that keeps local copies, by servers each of which keeps its own.

mod announcing;
mod fleet;

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::{Harness, InProcess};
use token_cache_core::{
    MemoryStore, SealedStore, Sealer, Secret, TokenStore, test_util::FailingStore,
};

use fleet::Fleet;

fn main() -> token_cache_core::Result<ExitCode> {
    let memory = || Arc::new(MemoryStore::new()) as Arc<dyn TokenStore>;
    let pointer = move || Arc::new(Box::new(memory()) as Box<dyn TokenStore>) as _;
    let failing = move || Arc::new(FailingStore::new(memory())) as _;
    let secret = Secret::random()?;
    let sealed = move || Arc::new(SealedStore::new(memory(), Sealer::new(&secret))) as _;
    let secret = Secret::random()?;
    let local_sealed = move |memory| {
        Arc::new(SealedStore::new(memory, Sealer::new(&secret))) as Arc<dyn TokenStore>
    };
    Ok(token_cache_conformance::main_of([
        Arc::new(InProcess::new("memory", memory)) as Arc<dyn Harness>,
        Arc::new(InProcess::new("pointer(memory)", pointer)),
        Arc::new(InProcess::new("failing(memory)", failing)),
        Arc::new(InProcess::new("sealed(memory)", sealed)),
        Arc::new(Fleet::new("local(memory)", |memory| Arc::new(memory) as _)),
        Arc::new(Fleet::new("local(sealed(memory))", local_sealed)),
    ]))
}

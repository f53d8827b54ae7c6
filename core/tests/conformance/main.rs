//! Runs the conformance suite on the memory store: alone, behind a pointer, and inside the wrappers that seal, that fail on demand, and
//! that have a near cache. Each server has a near cache of its own.

mod fleet;
mod publishing;

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::InProcess;
use token_cache_core::{
    MemoryStore, SealedStore, Sealer, Secret, TokenStore, test_util::FailingStore,
};

use fleet::Fleet;

fn main() -> token_cache_core::Result<ExitCode> {
    let memory = |clock| Arc::new(MemoryStore::with_clock(clock)) as Arc<dyn TokenStore>;
    let pointer = move |clock| Arc::new(Box::new(memory(clock)) as Box<dyn TokenStore>) as _;
    let failing = move |clock| Arc::new(FailingStore::new(memory(clock))) as _;
    let secret = Secret::random()?;
    let sealed = move |clock| Arc::new(SealedStore::new(memory(clock), Sealer::new(&secret))) as _;
    let secret = Secret::random()?;
    let near_cache_sealed = move |memory| {
        Arc::new(SealedStore::new(memory, Sealer::new(&secret))) as Arc<dyn TokenStore>
    };
    Ok(token_cache_conformance::main(vec![
        Arc::new(InProcess::with_clock("memory", memory)),
        Arc::new(InProcess::with_clock("pointer(memory)", pointer)),
        Arc::new(InProcess::with_clock("failing(memory)", failing)),
        Arc::new(InProcess::with_clock("sealed(memory)", sealed)),
        Arc::new(Fleet::new("near-cache(memory)", |memory| {
            Arc::new(memory) as _
        })),
        Arc::new(Fleet::new("near-cache(sealed(memory))", near_cache_sealed)),
    ]))
}

//! Runs the conformance suite on the memory store: alone, behind a pointer, in a wrapper that fails on demand, and encrypted.

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::{InProcess, Sealed};
use token_cache_core::{MemoryStore, Secret, TokenStore, test_util::FailingStore};

fn main() -> token_cache_core::Result<ExitCode> {
    let memory = |clock| Arc::new(MemoryStore::with_clock(clock)) as Arc<dyn TokenStore>;
    let pointer = move |clock| Arc::new(memory(clock)) as _;
    let failing = move |clock| Arc::new(FailingStore::new(memory(clock))) as _;
    let bare = Arc::new(InProcess::with_clock("memory", memory));
    let sealed = Sealed::new(Arc::clone(&bare) as _, Secret::random()?);
    Ok(token_cache_conformance::main(vec![
        bare,
        Arc::new(InProcess::with_clock("pointer(memory)", pointer)),
        Arc::new(InProcess::with_clock("failing(memory)", failing)),
        Arc::new(sealed),
    ]))
}

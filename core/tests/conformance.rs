//! The memory store through the suite: bare, behind a pointer, and inside the wrapper that fails on demand.

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::{Harness, InProcess};
use token_cache_core::{MemoryStore, TokenStore, test_util::FailingStore};

fn main() -> ExitCode {
    let memory = || Arc::new(MemoryStore::new()) as Arc<dyn TokenStore>;
    let pointer = move || Arc::new(Box::new(memory()) as Box<dyn TokenStore>) as _;
    let failing = move || Arc::new(FailingStore::new(memory())) as _;
    token_cache_conformance::main_of([
        Arc::new(InProcess::new("memory", memory)) as Arc<dyn Harness>,
        Arc::new(InProcess::new("pointer(memory)", pointer)),
        Arc::new(InProcess::new("failing(memory)", failing)),
    ])
}

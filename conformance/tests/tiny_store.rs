//! The store that the documentation of `TokenStore` shows, through the suite.

use std::{process::ExitCode, sync::Arc};

use token_cache_conformance::InProcess;

#[path = "../../core/docs/tiny_store.rs"]
#[expect(dead_code, reason = "the example ends with a `main` of its own")]
mod tiny_store;

fn main() -> ExitCode {
    let make = || Arc::new(tiny_store::TinyStore::default()) as _;
    token_cache_conformance::main(vec![Arc::new(InProcess::new("tiny", make))])
}

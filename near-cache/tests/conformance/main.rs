//! Runs the conformance suite on the memory store as a cache with a near cache uses it, encrypted. Each server has a near cache of its own.

mod fleet;

use std::{process::ExitCode, sync::Arc};

use token_cache_core::Secret;

use fleet::Fleet;

fn main() -> token_cache_core::Result<ExitCode> {
    let fleet = Fleet::new(Secret::random()?);
    Ok(token_cache_conformance::main(vec![Arc::new(fleet)]))
}

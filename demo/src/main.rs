//! `cargo demo`: see the crate's README.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(token_cache_demo::run(std::env::args().skip(1)).code())
}

//! One app server of a fleet under test: `app_server URL [--design NAME]`. It reads its tasks from stdin.

use std::process::ExitCode;

use token_cache_integration_tests::fleet;

fn main() -> ExitCode {
    fleet::main(std::env::args().skip(1))
}

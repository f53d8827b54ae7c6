use std::env;
use std::path::PathBuf;

use crate::servers::ServerError;

/// The environment variable with the engine's program, if that is not beside the running program.
pub const ENGINE_VARIABLE: &str = "TOKEN_CACHE_DYNAMODB_ENGINE";

const NAME: &str = "dynamodb_engine";
const HOW: &str = "cargo build --package token-cache-integration-tests --bin dynamodb_engine";

/// Returns the program that serves the engine: the one that the variable names, or the one beside this program (for a test, in the folder
/// above).
pub(super) fn engine() -> Result<PathBuf, ServerError> {
    if let Some(named) = env::var_os(ENGINE_VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(named)
        } else {
            Err(ServerError::new(format!(
                "{ENGINE_VARIABLE} does not name a file: {}",
                named.display()
            )))
        };
    }
    let this = env::current_exe().map_err(ServerError::during("the path of this program"))?;
    let file = format!("{NAME}{}", env::consts::EXE_SUFFIX);
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&file))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            ServerError::new(format!(
                "no {NAME} beside {}: {HOW}, or set {ENGINE_VARIABLE}",
                this.display()
            ))
        })
}

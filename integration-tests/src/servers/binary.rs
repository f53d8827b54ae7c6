use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ServerError;

const VARIABLE: &str = "TOKEN_CACHE_REDIS_SERVER";
/// The folders of system packages, in case `PATH` does not contain them.
const USUAL_FOLDERS: [&str; 4] = [
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/usr/sbin",
];

/// Returns the path of a program in `PATH` or in the usual folders.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(USUAL_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Returns the path of a program of this workspace if it was built beside the running one.
pub(super) fn built(program: &str) -> Option<PathBuf> {
    let this = env::current_exe().ok()?;
    let beside = this.ancestors().skip(1).find(|it| !it.ends_with("deps"))?;
    Some(beside.join(program)).filter(|candidate| candidate.is_file())
}

/// Returns the server program that tests run: the one that `TOKEN_CACHE_REDIS_SERVER` names, or `redis-server`.
pub(super) fn redis_server() -> Result<PathBuf, ServerError> {
    if let Some(named) = env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(named)
        } else {
            Err(ServerError::new(format!(
                "{VARIABLE} does not name a file: {}",
                named.display()
            )))
        };
    }
    find("redis-server").ok_or_else(|| {
        ServerError::new("no redis-server on this machine: sudo apt-get install redis-server")
    })
}

/// Returns the program's name and version, such as `redis-server 7.0.15`.
pub(super) fn describe(program: &Path) -> Result<String, ServerError> {
    let what = format!("{} --version", program.display());
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(ServerError::during(what))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = said
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="))
        .unwrap_or("of unknown version");
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name} {version}"))
}

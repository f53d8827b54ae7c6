use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use crate::servers::{ServerError, binary};

/// The command that installs what runs npm programs.
const NODE_COMMAND: &str = "sudo apt-get install nodejs npm   # Node 20.19 or newer";

const OLDEST: (u32, u32) = (20, 19);

/// A program of this workspace on npm packages, whose versions a lock file pins.
pub(crate) struct NpmProgram {
    /// Name of its folder.
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    pub(crate) lock: &'static str,
    /// The file that Node runs.
    pub(crate) program: &'static str,
}

/// The paths that its process needs.
pub(crate) struct Installed {
    pub(crate) node: PathBuf,
    pub(crate) program: PathBuf,
}

impl NpmProgram {
    /// Installs its packages beside this program (for a test, in the folder above) unless the same lock file was installed there before.
    /// Other processes wait meanwhile.
    pub(crate) fn install(&self) -> Result<Installed, ServerError> {
        let node = node()?;
        let folder = folder(self.name)?;
        let lock = File::create(folder.join("installing"))
            .map_err(ServerError::during(folder.display()))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(ServerError::during(folder.display()))?;
        let done = folder.join("installed.json");
        if fs::read_to_string(&done).ok().as_deref() != Some(self.lock) {
            write(&folder.join("package.json"), self.package)?;
            write(&folder.join("package-lock.json"), self.lock)?;
            install(&folder)?;
            write(&done, self.lock)?;
        }
        let program = folder.join("program.mjs");
        if fs::read_to_string(&program).ok().as_deref() != Some(self.program) {
            write(&program, self.program)?;
        }
        Ok(Installed { node, program })
    }
}

fn node() -> Result<PathBuf, ServerError> {
    let missing = |what: &str| ServerError::new(format!("{what}: {NODE_COMMAND}"));
    let node = binary::find("node").ok_or_else(|| missing("`node` is not on this machine"))?;
    let output = Command::new(&node)
        .arg("--version")
        .output()
        .map_err(ServerError::during("node --version"))?;
    let version = String::from_utf8_lossy(&output.stdout);
    if is_new_enough(&version) {
        Ok(node)
    } else {
        Err(missing(&format!("`node` is too old: {}", version.trim())))
    }
}

/// Parses versions such as `v20.20.2`.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    let mut number = || numbers.next().and_then(|number| number.parse().ok());
    matches!((number(), number()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

/// Returns the folder of this name beside this program, or, for a test, in the folder above.
pub(super) fn folder(name: &str) -> Result<PathBuf, ServerError> {
    let this = env::current_exe().map_err(ServerError::during("the path of this program"))?;
    let beside = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .unwrap_or(&this);
    let folder = beside.join(name);
    fs::create_dir_all(&folder).map_err(ServerError::during(folder.display()))?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<(), ServerError> {
    fs::write(path, text).map_err(ServerError::during(path.display()))
}

fn install(folder: &Path) -> Result<(), ServerError> {
    let npm = binary::find("npm").ok_or_else(|| {
        ServerError::new(format!(
            "`npm` is not on this machine. Install it: {NODE_COMMAND}"
        ))
    })?;
    let output = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .map_err(ServerError::during("npm ci"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(ServerError::new(format!(
        "npm ci in {} needs npm's registry: {said}",
        folder.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_new_enough_from_20_19_on() {
        for (version, expected) in [
            ("v20.19.0\n", true),
            ("v20.20.2", true),
            ("v22.1.0", true),
            ("v20.18.9", false),
            ("v18.20.0", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}

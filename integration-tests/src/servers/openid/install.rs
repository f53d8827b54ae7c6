use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use crate::servers::{ServerError, binary, npm};

/// Runs `install` in a folder of this name, unless it has succeeded there with the same `recipe` before. The folder is beside this program
/// (for a test, in the folder above). Other processes wait meanwhile.
pub(super) fn once(
    name: &str,
    recipe: &str,
    install: impl FnOnce(&Path) -> Result<(), ServerError>,
) -> Result<PathBuf, ServerError> {
    let folder = npm::folder(name)?;
    let lock =
        File::create(folder.join("installing")).map_err(ServerError::during(folder.display()))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(ServerError::during(folder.display()))?;
    let done = folder.join("installed");
    if fs::read_to_string(&done).ok().as_deref() != Some(recipe) {
        install(&folder)?;
        fs::write(&done, recipe).map_err(ServerError::during(done.display()))?;
    }
    Ok(folder)
}

/// Creates a Python environment with these packages, one per line in pip's format, and returns its interpreter.
pub(super) fn python(name: &str, requirements: &str) -> Result<PathBuf, ServerError> {
    let folder = once(name, requirements, |folder| {
        let python = program("python3")?;
        let list = folder.join("requirements.txt");
        fs::write(&list, requirements).map_err(ServerError::during(list.display()))?;
        run(Command::new(python)
            .args(["-m", "venv"])
            .arg(folder.join("python")))?;
        run(Command::new(folder.join("python/bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(list))
    })?;
    Ok(folder.join("python/bin/python"))
}

/// Finds a program that [`debian::need`](super::debian::need) has found as well.
pub(super) fn program(name: &str) -> Result<PathBuf, ServerError> {
    binary::find(name).ok_or_else(|| ServerError::new(format!("`{name}` is not on this machine")))
}

/// Runs a command to its end.
pub(super) fn run(command: &mut Command) -> Result<(), ServerError> {
    let what = format!("{command:?}");
    let output = command.output().map_err(ServerError::during(&what))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(ServerError::new(format!("{what} failed: {text}")))
}

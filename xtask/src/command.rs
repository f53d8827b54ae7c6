use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::print::print;

/// The folder of the workspace that this program was started in: with a target directory that clones share, it may have been built in
/// another.
pub(crate) fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().unwrap_or(&here).to_owned()
}

/// Returns cargo's target directory.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `cargo` with these arguments, run in the workspace: the same cargo that runs this program.
pub(crate) fn cargo<I: AsRef<str>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for argument in arguments {
        command.arg(argument.as_ref());
    }
    command
}

/// Runs it, showing first what is run.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = show(command);
    print(&format!("\n» {shown}"));
    let status = command.status().map_err(Failure::during(&shown))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{shown}: {status}")))
    }
}

/// Runs a command without output, and returns `true` if it succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Fails with the command that installs `cargo <subcommand>`, where it is missing.
pub(crate) fn need_subcommand(subcommand: &str) -> Outcome {
    if succeeds(&mut cargo([subcommand, "--version"])) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "cargo-{subcommand} is missing: cargo install --locked cargo-{subcommand}"
    )))
}

/// A program found in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|found| found.is_file())
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    command.get_args().fold(program, |shown, argument| {
        format!("{shown} {}", argument.display())
    })
}

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::say::say;

/// The workspace's programs, built together with its tests, so that nothing is built twice.
#[derive(Debug)]
pub(crate) struct Built(BTreeMap<String, PathBuf>);

#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    /// Whether it is the program's own unit tests, which are a program of the same name.
    test: bool,
}

impl Built {
    /// Builds programs, tests and examples of the whole workspace.
    pub(crate) fn build(features: &[String]) -> Outcome<Self> {
        let what = "cargo build --workspace --bins --tests --examples";
        say(&format!("\n» {what}"));
        let output = command::cargo(what.split(' ').skip(1))
            .args(features)
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .map_err(Failure::during(what))?;
        if !output.status.success() {
            return Err(Failure::new(format!("{what}: {}", output.status)));
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        let programs = lines.lines().filter_map(|line| {
            let message: Message = serde_json::from_str(line).ok()?;
            let target = message.target.filter(|target| target.kind == ["bin"])?;
            let is_test = message.profile.is_some_and(|profile| profile.test);
            Some((target.name, message.executable.filter(|_| !is_test)?))
        });
        Ok(Self(programs.collect()))
    }

    /// A command that runs the program, in the workspace.
    pub(crate) fn program(&self, name: &str) -> Outcome<Command> {
        let path = self
            .0
            .get(name)
            .ok_or_else(|| Failure::new(format!("the workspace has no program {name}")))?;
        let mut command = Command::new(path);
        command.current_dir(command::root());
        Ok(command)
    }
}

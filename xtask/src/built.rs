use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;

/// The workspace's programs and tests, built together, so that nothing is built twice.
#[derive(Debug)]
pub(crate) struct Built {
    programs: BTreeMap<String, PathBuf>,
    tests: Vec<Test>,
}

/// A test binary.
#[derive(Debug)]
pub(crate) struct Test {
    /// Its target's name: of a file or folder under `tests`, or of a crate for its unit tests.
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    /// Its package's folder, in which its tests run.
    pub(crate) folder: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
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
    /// `true` for a program's own unit tests, which are a program of the same name.
    test: bool,
}

impl Built {
    /// Builds programs, tests and examples of the whole workspace.
    pub(crate) fn build(features: &[String]) -> Outcome<Self> {
        let what = "cargo build --workspace --bins --tests --examples";
        print(&format!("\n» {what}"));
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
        let mut built = Self {
            programs: BTreeMap::new(),
            tests: Vec::new(),
        };
        for line in lines.lines() {
            built.read(line);
        }
        Ok(built)
    }

    /// Reads one of cargo's messages; one that is not of an executable changes nothing.
    fn read(&mut self, line: &str) {
        // Cargo prints messages of other shapes as well.
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            return;
        };
        let (Some(target), Some(executable)) = (message.target, message.executable) else {
            return;
        };
        if message.profile.is_some_and(|profile| profile.test) {
            let manifest = message.manifest_path.unwrap_or_default();
            self.tests.push(Test {
                name: target.name,
                executable,
                folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
            });
        } else if target.kind == ["bin"] {
            self.programs.insert(target.name, executable);
        }
    }

    /// Returns the test binaries.
    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// A command that runs the program, in the workspace.
    pub(crate) fn program(&self, name: &str) -> Outcome<Command> {
        let path = self
            .programs
            .get(name)
            .ok_or_else(|| Failure::new(format!("the workspace has no program {name}")))?;
        let mut command = Command::new(path);
        command.current_dir(command::root());
        Ok(command)
    }
}

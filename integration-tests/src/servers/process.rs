use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::{io, mem};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{ServerError, binary};

/// A child process. Its output is written to a file, and it never outlives its owner.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, and appends its output to the file `log`.
    pub(super) fn start(
        program: &Path,
        args: &[String],
        log: PathBuf,
    ) -> Result<Self, ServerError> {
        Self::start_with(program, args, &[], log)
    }

    /// Starts `program` with these environment variables, regardless of their values in this process.
    pub(super) fn start_with(
        program: &Path,
        args: &[String],
        environment: &[(&str, &str)],
        log: PathBuf,
    ) -> Result<Self, ServerError> {
        let name = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(ServerError::during(log.display()))?;
        let errors = output
            .try_clone()
            .map_err(ServerError::during(log.display()))?;
        let mut command = dies_with_its_parent(program);
        command
            .envs(environment.iter().copied())
            .args(args)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let child =
            spawn(command).map_err(ServerError::during(format!("could not start {name}")))?;
        Ok(Self { child, name, log })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the last lines of its output.
    pub(super) fn output(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    pub(super) fn has_exited(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Kills it as `kill -9` does, and waits until it has exited.
    pub(super) fn kill9(&mut self) -> Result<(), ServerError> {
        let what = format!("could not kill {} {}", self.name, self.pid());
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map_err(ServerError::during(what))?;
        Ok(())
    }

    /// Pauses it with SIGSTOP, and returns once it has stopped.
    pub(super) fn pause(&self) -> Result<(), ServerError> {
        self.signal(Signal::STOP)?;
        let stopped_or_gone =
            WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.rustix_pid()?), stopped_or_gone).map_err(
            ServerError::during(format!("could not watch {}", self.name)),
        )?;
        match status {
            Some(status) if status.stopped() => Ok(()),
            _ => Err(ServerError::new(format!(
                "{} exited before it could be paused",
                self.name
            ))),
        }
    }

    /// Resumes it.
    pub(super) fn resume(&self) -> Result<(), ServerError> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        kill_process(self.rustix_pid()?, signal).map_err(ServerError::during(format!(
            "could not signal {} {}",
            self.name,
            self.pid()
        )))
    }

    fn rustix_pid(&self) -> Result<Pid, ServerError> {
        i32::try_from(self.pid())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| ServerError::new(format!("{} has no usable pid", self.name)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.kill9();
    }
}

/// Returns a command whose process the kernel kills once the thread that started it has ended, if `setpriv` is available.
fn dies_with_its_parent(program: &Path) -> Command {
    match binary::find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

type Job = (Command, Sender<io::Result<Child>>);

/// Starts `command` from the one thread that lives as long as this process. The death signal belongs to the thread that started the child,
/// and threads of tests and runtimes are short-lived.
fn spawn(command: Command) -> io::Result<Child> {
    static JOBS: OnceLock<Sender<Job>> = OnceLock::new();
    let queue = JOBS.get_or_init(|| {
        let (jobs, waiting) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in waiting {
                let outcome = command.spawn();
                // The log file's handles must not stay open here.
                mem::drop(command);
                // The caller may be gone. The child is then dropped.
                let _ = answer.send(outcome);
            }
        });
        jobs
    });
    let (answer, started) = channel();
    queue
        .send((command, answer))
        .map_err(|_| io::Error::other("the thread that starts servers has ended"))?;
    started
        .recv()
        .map_err(|_| io::Error::other("the thread that starts servers has ended"))?
}

use std::{
    collections::HashMap,
    fmt,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::Design;
use super::refresh::{RefreshSettings, Refreshed, Refreshing};
use super::wire::{Answer, Ask, Known, Line, Request, Task};

/// Maximum time of an operation. One that takes longer hangs.
const HANG: Duration = Duration::from_secs(60);

/// The program of an app server: this one's own file, or the one built beside it.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a file and its first arguments")]
pub struct Program {
    /// The file.
    pub file: PathBuf,
    /// Arguments before an app server's own.
    pub arguments: Vec<String>,
}

/// The settings of an app server.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests name what they need")]
pub struct Settings {
    /// URL of the store.
    pub url: String,
    /// The secret.
    pub secret: String,
    /// Its cache.
    pub design: Design,
    /// The file to which it logs its load.
    pub log: Option<PathBuf>,
    /// Its refresh settings.
    pub refresh: RefreshSettings,
}

/// The reason why an app server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Its cache could not be opened.
    Refused {
        /// The error's kind.
        kind: String,
        /// The error's message.
        message: String,
    },
    /// It could not be run.
    Broken(String),
}

/// An app server: a process with its own handle to the cache.
///
/// Start it from a thread that outlives it. The kernel kills it with that thread.
#[derive(Debug)]
pub struct Server {
    child: Mutex<Child>,
    pid: u32,
    stdin: Mutex<Option<ChildStdin>>,
    waiting: Arc<Waiting>,
    begun: Mutex<Receiver<Known>>,
    numbers: AtomicU64,
}

/// The requests without an answer. `None` once the process is gone.
#[derive(Debug, Default)]
struct Waiting(Mutex<Option<HashMap<u64, Asker>>>);

/// A request without an answer.
#[derive(Debug)]
enum Asker {
    Operation(Sender<Answer>),
    Refresh(Sender<Vec<Refreshed>>),
}

/// An operation in progress.
#[derive(Debug)]
pub struct Pending<T = Answer>(Receiver<T>);

impl Server {
    /// Starts an app server and waits until its cache is open.
    ///
    /// # Errors
    /// Its cache could not be opened, or the process did not run.
    pub fn start(program: &Program, settings: &Settings) -> Result<Self, StartError> {
        let broken = |error: std::io::Error| StartError::Broken(error.to_string());
        let mut command = Command::new(&program.file);
        command.args(&program.arguments).arg(&settings.url);
        if !settings.design.is_ours() {
            command.args(["--design", &settings.design.name()]);
        }
        if let Some(log) = &settings.log {
            command.arg("--log").arg(log);
        }
        if let Some(lease) = settings.refresh.lease {
            command.args(["--lease", &lease.as_millis().to_string()]);
        }
        if settings.refresh.lost_answer_ends_session {
            command.arg("--lost-answer-ends-session");
        }
        command.env("TOKEN_CACHE_SECRET", &settings.secret);
        for (variable, any) in crate::servers::ANY_CREDENTIALS {
            if std::env::var_os(variable).is_none() {
                command.env(variable, any);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(broken)?;
        let (ready, opened) = channel();
        let (tell, begun) = channel();
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        if let Some(stdout) = child.stdout.take() {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || listen(stdout, &ready, &tell, &waiting));
        }
        let server = Self {
            pid: child.id(),
            stdin: Mutex::new(child.stdin.take()),
            child: Mutex::new(child),
            waiting,
            begun: Mutex::new(begun),
            numbers: AtomicU64::default(),
        };
        match opened.recv_timeout(HANG) {
            Ok(Line::Ready) => Ok(server),
            Ok(Line::Refused { kind, message }) => Err(StartError::Refused { kind, message }),
            Ok(_) => Err(StartError::Broken(
                "the app server sent an answer without a request".to_owned(),
            )),
            Err(RecvTimeoutError::Timeout) => Err(StartError::Broken(format!(
                "the app server did not open its cache within {HANG:?}"
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(StartError::Broken(
                "the app server exited at once".to_owned(),
            )),
        }
    }

    /// Returns the time of a sign-in's request and its text for the state cookie, or `None` if the process is gone.
    pub fn start_sign_in(&self) -> Option<Answer> {
        self.operate(Ask::StartSignIn).wait()
    }

    /// Begins an operation.
    pub fn begin(&self, task: Task) -> Pending {
        self.operate(Ask::Do(Box::new(task)))
    }

    pub(crate) fn load(&self, load: super::Load) -> Pending {
        self.operate(Ask::Load(load))
    }

    pub(crate) fn stop_load(&self) -> Pending {
        self.operate(Ask::StopLoad)
    }

    pub(crate) fn learn(&self, known: Known) {
        // No answer follows, and a process that is gone needs none of it.
        drop(self.operate(Ask::Learn(known)));
    }

    /// Returns the sessions that its load has begun since the last call.
    pub(crate) fn begun(&self) -> Vec<Known> {
        lock(&self.begun).try_iter().collect()
    }

    /// Begins an operation on a session's tokens.
    pub fn refresh(&self, ticket: &str, asked: Refreshing) -> Pending<Vec<Refreshed>> {
        let ask = Ask::Refresh {
            ticket: ticket.to_owned(),
            asked: Box::new(asked),
        };
        let (answer, pending) = channel();
        self.ask(ask, Asker::Refresh(answer));
        Pending(pending)
    }

    fn operate(&self, ask: Ask) -> Pending {
        let (answer, pending) = channel();
        self.ask(ask, Asker::Operation(answer));
        Pending(pending)
    }

    fn ask(&self, ask: Ask, asker: Asker) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        if !matches!(ask, Ask::Learn(_))
            && let Some(waiting) = &mut *lock(&self.waiting.0)
        {
            waiting.insert(number, asker);
        }
        if let Ok(mut line) = serde_json::to_vec(&Request { number, ask }) {
            line.push(b'\n');
            if let Some(stdin) = &mut *lock(&self.stdin) {
                // A process that is gone answers nothing. The waiting caller learns that from its receiver.
                let _ = stdin.write_all(&line);
            }
        }
    }

    /// Kills it with `kill -9`, and waits until it is gone.
    pub fn kill9(&self) {
        let mut child = lock(&self.child);
        // It may have exited already.
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        *lock(&self.waiting.0) = None;
    }

    /// Pauses it (`SIGSTOP`), and returns once it has stopped: what is sent to it from then on waits.
    pub fn pause(&self) {
        if let Some(pid) = self.signal(Signal::STOP) {
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // It may be about to exit, here and below.
            let _ = waitid(WaitId::Pid(pid), stopped);
        }
    }

    /// Resumes it (`SIGCONT`).
    pub fn resume(&self) {
        let _ = self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) -> Option<Pid> {
        // The child is not reaped while its lock is held, so no other process can have its pid.
        let mut child = lock(&self.child);
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw)?;
        let _ = kill_process(pid, signal);
        Some(pid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

impl<T> Pending<T> {
    /// Waits until the operation ends. Returns `None` if its process was killed before.
    ///
    /// # Panics
    /// Panics if it takes a minute: the operation hangs.
    pub fn wait(self) -> Option<T> {
        match self.0.recv_timeout(HANG) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Disconnected) => None,
            #[expect(clippy::panic, reason = "the tests that use this look for hangs")]
            Err(RecvTimeoutError::Timeout) => panic!("an operation has not ended within {HANG:?}"),
        }
    }
}

impl Waiting {
    fn remove(&self, number: u64) -> Option<Asker> {
        lock(&self.0).as_mut()?.remove(&number)
    }
}

fn listen(stdout: ChildStdout, ready: &Sender<Line>, begun: &Sender<Known>, waiting: &Waiting) {
    for line in BufReader::new(stdout).lines() {
        let Some(line) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else {
            break;
        };
        // The caller may have stopped waiting.
        match line {
            Line::Ready | Line::Refused { .. } => drop(ready.send(line)),
            Line::Begun(known) => drop(begun.send(known)),
            Line::Answered(number, answer) => {
                if let Some(Asker::Operation(asker)) = waiting.remove(number) {
                    drop(asker.send(answer));
                }
            }
            Line::Refreshed(number, refreshed) => {
                if let Some(Asker::Refresh(asker)) = waiting.remove(number) {
                    drop(asker.send(refreshed));
                }
            }
        }
    }
    *lock(&waiting.0) = None;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("design", &self.design)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { kind, message } => {
                write!(
                    f,
                    "the cache of the app server could not be opened ({kind}): {message}"
                )
            }
            Self::Broken(why) => write!(f, "the app server could not be run: {why}"),
        }
    }
}

impl std::error::Error for StartError {}

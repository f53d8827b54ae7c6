use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{
    Design,
    app::App,
    load::Loaded,
    refresh::RefreshSettings,
    wire::{Ask, Line, Request},
};
use crate::{
    clock::Tick,
    fleet::wire::Answer,
    history::{Log, Outcome, Span},
};

const USAGE: &str = "usage: app_server URL [--design NAME] [--log FILE] [--lease MILLISECONDS] [--lost-answer-ends-session]";

/// The arguments of an app server.
#[derive(Debug)]
struct Arguments {
    url: String,
    design: Design,
    log: Option<PathBuf>,
    policy: RefreshSettings,
}

impl Arguments {
    /// Parses the arguments. See [`USAGE`].
    fn read(mut given: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = Self {
            url: given.next()?,
            design: Design::default(),
            log: None,
            policy: RefreshSettings::default(),
        };
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--design" => arguments.design = Design::named(&given.next()?)?,
                "--log" => arguments.log = Some(given.next()?.into()),
                "--lease" => {
                    let millis = given.next()?.parse().ok()?;
                    arguments.policy.lease = Some(Duration::from_millis(millis));
                }
                "--lost-answer-ends-session" => arguments.policy.lost_answer_ends_session = true,
                _ => return None,
            }
        }
        Some(arguments)
    }
}

/// Runs an app server from its start to the end of its stdin.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    dies_with_its_driver();
    let Some(arguments) = Arguments::read(arguments) else {
        return failed(USAGE);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    let (say, lines) = channel();
    let printer = thread::spawn(move || print(&lines));
    let app = match runtime.block_on(App::open(
        &arguments.url,
        arguments.design,
        arguments.policy,
    )) {
        Ok(app) => Arc::new(app),
        Err(refused) => {
            // The line is printed before the printer ends, which is when `say` is dropped.
            let _ = say.send(Line::Refused {
                kind: refused.kind,
                message: refused.message,
            });
            drop(say);
            return if printer.join().is_ok() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    let log = match arguments.log.as_deref().map(Log::create).transpose() {
        Ok(log) => log.map(Arc::new),
        Err(error) => return failed(&error.to_string()),
    };
    let _ = say.send(Line::Ready);
    let server = Serving {
        app,
        log,
        say,
        load: None,
    };
    server.serve(&runtime)
}

/// Asks the kernel to kill this process with its driver. Otherwise a paused process would outlive a killed driver.
fn dies_with_its_driver() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // If this fails, the end of stdin still ends a process that is not paused.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}

fn failed(why: &str) -> ExitCode {
    // If stderr is closed, the exit code reports the failure.
    let _ = writeln!(io::stderr(), "{why}");
    ExitCode::FAILURE
}

/// Prints each line as it arrives. Ends when all senders are dropped, or stdout is closed.
fn print(lines: &Receiver<Line>) {
    let mut stdout = io::stdout();
    for line in lines {
        let Ok(mut text) = serde_json::to_string(&line) else {
            continue;
        };
        text.push('\n');
        if stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .is_err()
        {
            return;
        }
    }
}

struct Serving {
    app: Arc<App>,
    log: Option<Arc<Log>>,
    say: Sender<Line>,
    load: Option<Loaded>,
}

impl Serving {
    fn serve(mut self, runtime: &tokio::runtime::Runtime) -> ExitCode {
        let _inside = runtime.enter();
        for line in io::stdin().lock().lines() {
            let request: Request = match line {
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(request) => request,
                    Err(error) => return failed(&error.to_string()),
                },
                Err(_) => break,
            };
            self.take(request, runtime);
        }
        ExitCode::SUCCESS
    }

    fn take(&mut self, request: Request, runtime: &tokio::runtime::Runtime) {
        let Request { number, ask } = request;
        let say = self.say.clone();
        // The driver may be gone. Then stdin ends as well.
        let answer = move |answer| drop(say.send(Line::Answered(number, answer)));
        match ask {
            Ask::StartSignIn => answer(self.app.start_sign_in()),
            Ask::Do(task) => {
                let app = Arc::clone(&self.app);
                runtime.spawn(async move { answer(app.carry_out(&task).await) });
            }
            Ask::Refresh { ticket, asked } => {
                let app = Arc::clone(&self.app);
                let say = self.say.clone();
                runtime.spawn(async move {
                    let refreshed = app.refresh(&ticket, *asked).await;
                    drop(say.send(Line::Refreshed(number, refreshed)));
                });
            }
            Ask::Learn(known) => {
                if let Some(load) = &self.load {
                    load.learn(known);
                }
            }
            Ask::Load(load) => {
                if let Some(log) = &self.log {
                    let say = self.say.clone();
                    let begun = move |known| drop(say.send(Line::Begun(known)));
                    self.load = Some(Loaded::start(
                        load,
                        Arc::clone(&self.app),
                        Arc::clone(log),
                        begun,
                    ));
                }
                answer(nothing());
            }
            Ask::StopLoad => {
                if let Some(load) = self.load.take() {
                    runtime.block_on(load.stop());
                }
                answer(nothing());
            }
        }
    }
}

fn nothing() -> Answer {
    let now = Tick::now();
    let span = Span {
        start: now,
        end: now,
    };
    Answer {
        span,
        outcome: Outcome::Done,
        text: None,
        message: None,
    }
}

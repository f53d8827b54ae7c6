use std::{
    io::{self, Write},
    process,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    args::{Args, USAGE},
    exit::Exit,
    failure::Failure,
    fleet::{Fleet, serve_stdio},
    report::{JsonLines, Report, Timeline},
    scripted_user::ScriptedUser,
    server_caches::{CacheKind, ServerCaches},
    store_url::StoreUrl,
    story::STEPS,
    verdict::{Told, Verdict},
    web::serve,
};

/// The story takes milliseconds; a store that hangs must not hang the demo.
const DEADLINE: Duration = Duration::from_secs(30);

/// Does what the arguments ask for, on standard output and standard error.
pub fn run(args: impl Iterator<Item = String>) -> Exit {
    observed(|| {
        let runtime = tokio::runtime::Runtime::new()?;
        Ok(runtime.block_on(carry_out(args)))
    })
    .unwrap_or_else(|failure| {
        // An error of a closed standard error cannot be reported, here and below.
        let _ = writeln!(io::stderr(), "{failure}");
        Exit::Unfinished
    })
}

/// Runs `work`, and exports its spans to OpenTelemetry if that is configured.
fn observed(work: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    #[cfg(feature = "opentelemetry")]
    let telemetry = crate::telemetry::Telemetry::start()?;
    let exit = work()?;
    #[cfg(feature = "opentelemetry")]
    if let Some(telemetry) = telemetry {
        telemetry.end()?;
    }
    Ok(exit)
}

async fn carry_out(args: impl Iterator<Item = String>) -> Exit {
    match Args::parse(args) {
        Ok(Args::Help) => {
            let _ = io::stdout().write_all(USAGE.as_bytes());
            Exit::Proved
        }
        Ok(Args::Server) => {
            serve_stdio().await;
            Exit::Proved
        }
        Ok(Args::Story { store, json: true }) => {
            told_on(&store, &mut JsonLines::new(io::stdout())).await
        }
        Ok(Args::Story { store, json: false }) => told_on(&store, &mut Timeline::on_stdout()).await,
        Ok(Args::Serve(options)) => serve(options).await,
        Err(refusal) => {
            let _ = write!(io::stderr(), "{refusal}\n\n{USAGE}");
            Exit::Usage
        }
    }
}

async fn told_on(store: &StoreUrl, report: &mut dyn Report) -> Exit {
    let telling = async {
        let fleet = start(store).await?;
        tell(&fleet, report).await
    };
    let ended = tokio::time::timeout(DEADLINE, telling).await;
    match ended.unwrap_or_else(|_| Err(too_late())) {
        Ok(verdict) => verdict.exit(),
        Err(failure) => {
            let _ = report.failed(&failure);
            Exit::Unfinished
        }
    }
}

fn too_late() -> Failure {
    Failure::new(format!(
        "it did not end within {} seconds",
        DEADLINE.as_secs()
    ))
}

async fn start(store: &StoreUrl) -> Result<Fleet, Failure> {
    #[cfg(feature = "dynamodb")]
    store.make_table_of_local_engine().await?;
    match store.shared() {
        None => Fleet::of_tasks(ServerCaches::in_memory().await?).await,
        Some(url) => Fleet::of_processes(&std::env::current_exe()?, url).await,
    }
}

/// Tells the story on these servers, and reports each step as it happens.
///
/// It ends early where a step goes wrong that the rest of the story builds on.
///
/// # Errors
/// Where a store fails, a server goes away, or the report can't be written.
pub async fn tell(fleet: &Fleet, report: &mut dyn Report) -> Result<Verdict, Failure> {
    let since = Instant::now();
    let run = run_name();
    let mut token_cache = ScriptedUser::new(fleet, CacheKind::TokenCache, &run);
    let mut plain_cache = ScriptedUser::new(fleet, CacheKind::PlainCache, &run);
    let mut told = Vec::new();
    report.begins(fleet)?;
    for (index, step) in STEPS.iter().enumerate() {
        let step_told = Told {
            number: index + 1,
            name: step.name,
            server: step.server,
            chapter: step.chapter,
            text: step.text,
            promise: step.promise,
            token_cache: token_cache.play(step).await?,
            plain_cache: plain_cache.play(step).await?,
            at_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        report.told(&step_told)?;
        let both_right = step_told.token_cache.right && step_told.plain_cache.right;
        told.push(step_told);
        if step.ought_to_work() && !both_right {
            break;
        }
    }
    let verdict = Verdict::of(&told);
    report.ends(&verdict)?;
    Ok(verdict)
}

fn run_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!("{}-{now}", process::id())
}

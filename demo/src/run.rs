use std::{
    io::{self, Write},
    time::Duration,
};

use crate::{
    args::Args,
    caches::ServerCaches,
    failure::{Exit, Failure},
    fleet::{Fleet, serve_stdio},
    play::tell,
    report::{JsonLines, Report, Timeline},
    store_url::StoreUrl,
    web::serve_until_ctrl_c,
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
        Ok(Args::Server) => {
            serve_stdio().await;
            Exit::Proved
        }
        Ok(Args::Story { store, json: true }) => {
            told_on(&store, &mut JsonLines::new(io::stdout())).await
        }
        Ok(Args::Story { store, json: false }) => told_on(&store, &mut Timeline::on_stdout()).await,
        Ok(Args::Serve(options)) => serve_until_ctrl_c(options).await,
        Err(refusal) => {
            let _ = refusal.print();
            if refusal.use_stderr() {
                Exit::Usage
            } else {
                Exit::Proved
            }
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

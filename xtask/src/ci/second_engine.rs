use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;
use crate::test::programs::ENVIRONMENT;

/// The packages that are installed into a folder under the target directory.
const PACKAGES: [&str; 2] = ["moto[server]==5.2.1", "python-hcl2==8.1.4"];

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Signs in, uses tokens and signs out on whatever store its URL names.
const APP: &str = "token-cache-example-any-store";

const STORE: &str = "token-cache-dynamodb";

/// The checks that a correct store fails on this engine, because it differs from the service that AWS documents.
const DIFFERENCES: [(&str, &str); 15] = [
    ("a_value_over_the_limit_is_refused", TOO_LARGE),
    ("of_two_sign_outs_at_once_one_ends_it", TWO_STEPS),
    (
        "a_sign_in_that_races_with_a_sign_out_does_not_live",
        TWO_STEPS,
    ),
    ("sign_ins_at_once_lose_nothing", TWO_STEPS),
    ("sign_ins_and_an_eviction_meet", TWO_STEPS),
    ("a_write_that_races_with_a_refusal_is_not_lost", TWO_STEPS),
    ("a_sign_out_by_sid_and_a_sign_in_meet", TWO_STEPS),
    ("of_racing_conditional_writes_one_is_stored", TWO_STEPS),
    ("every_account_is_streamed", SLOW_SCANS),
    ("an_issuers_accounts_are_streamed", SLOW_SCANS),
    (
        "the_stream_misses_no_account_while_others_come_and_go",
        SLOW_SCANS,
    ),
    ("a_list_is_signed_out_step_by_step", SLOW_SCANS),
    ("every_account_of_an_issuer_is_signed_out", SLOW_SCANS),
    ("a_resumed_run_keeps_its_cutoff", SLOW_SCANS),
    ("a_failed_step_is_taken_again", SLOW_SCANS),
];

const TOO_LARGE: &str =
    "it counts some bytes more than DynamoDB does, and refuses an item of just under 400 KB";
const TWO_STEPS: &str =
    "it checks a condition and writes in two steps without a lock, so two writes at once both pass";
const SLOW_SCANS: &str =
    "it takes longer than a check may over thousands of accounts, or a table that all checks share";

/// The conformance suite on an engine that has nothing in common with the usual one, and the table that the templates in
/// `docs/` make.
pub(super) fn check() -> Outcome {
    every_difference_is_a_check()?;
    let environment = environment()?;
    let python = environment.join("bin/python");
    let engine = Moto::start(environment.join("bin/moto_server"))?;

    let templates = command::root().join("docs/dynamodb");
    command::run(
        Command::new(&python)
            .arg(command::root().join("xtask/src/ci/templates.py"))
            .arg(engine.url())
            .arg(templates),
    )?;
    let store = format!(
        "dynamodb://token-cache?region=eu-central-1&endpoint={}",
        engine.url()
    );
    let app = ["run", "--package", APP, "--features", "dynamodb", "--"];
    command::run(command::cargo(app).arg(store).envs(ENVIRONMENT))?;

    let suite = ["test", "--package", STORE, "--test", "conformance", "--"];
    let mut suite = command::cargo(suite);
    // One check at a time: a request that another check delays is sent again, and this engine runs both copies at once.
    suite.args(["--test-threads", "1", "--exact"]);
    for (behaviour, _) in DIFFERENCES {
        suite.args(["--skip", &format!("dynamodb::{behaviour}")]);
        suite.args(["--skip", &format!("sealed(dynamodb)::{behaviour}")]);
    }
    print_differences();
    suite.envs(ENVIRONMENT);
    command::run(suite.env("TOKEN_CACHE_TEST_DYNAMODB", engine.url()))
}

/// A name that the suite does not have would skip nothing without an error.
fn every_difference_is_a_check() -> Outcome {
    let table = command::root().join("conformance/src/table.rs");
    let checks = fs::read_to_string(&table).map_err(Failure::during(table.display()))?;
    let unknown = DIFFERENCES
        .iter()
        .filter(|(name, _)| !checks.contains(&format!("::{name},")));
    let findings: Vec<_> = unknown
        .map(|(name, _)| format!("{name}: the conformance suite has no such check"))
        .collect();
    Failure::of_findings("behaviours that the second engine cannot show", &findings)
}

fn print_differences() {
    print("\n» behaviours that this engine can't show:");
    for (behaviour, why) in DIFFERENCES {
        print(&format!("  {behaviour}: {why}"));
    }
}

/// A Python with the packages, made once.
fn environment() -> Outcome<PathBuf> {
    let environment = command::target().join("second-engine");
    if !environment.join("bin/python").is_file() {
        let python = command::find("python3").ok_or_else(|| {
            Failure::new("no python3 on this machine: sudo apt-get install python3-venv")
        })?;
        command::run(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    }
    command::run(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES),
    )?;
    Ok(environment)
}

/// A running moto, stopped when it is dropped.
struct Moto {
    process: Child,
    address: SocketAddr,
}

impl Moto {
    fn start(program: PathBuf) -> Outcome<Self> {
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::during("a port"))?;
        let address = free.local_addr().map_err(Failure::during("a port"))?;
        drop(free);
        let process = Command::new(program)
            .args(["--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::during("moto_server"))?;
        let engine = Self { process, address };
        let since = Instant::now();
        while TcpStream::connect(engine.address).is_err() {
            if since.elapsed() > STARTS_WITHIN {
                return Err(Failure::new("moto_server did not start within a minute"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(engine)
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It is gone already, or is killed now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_behaviour_that_is_left_out_is_a_check_of_the_suite() {
        super::every_difference_is_a_check().unwrap();
    }
}

//! Prints which servers the tests of this machine run on, or which command is missing.
//!
//! `servers --hold` starts a local Redis instead, and prints its pid and URL. It runs until standard input ends. It is for manual
//! inspection, and for the test that kills its parent.
//! `servers --hold-dynamodb` finds or starts a DynamoDB as tests do, and prints its URL and its endpoint. It runs likewise, for many tests
//! that share one.
//! `servers --install-providers` installs the OpenID providers of other projects, and prints those that cannot be installed.

use std::error::Error;
use std::io::{self, Write};
use std::{env, process};

use token_cache_integration_tests::servers::{
    OpenIdProvider, RedisOptions, RedisServer, TestCluster, TestDynamoDb, TestRedis,
};

fn main() {
    let outcome = match env::args().nth(1).as_deref() {
        None => say_which(),
        Some("--hold") => hold(),
        Some("--hold-dynamodb") => hold_dynamodb(),
        Some("--install-providers") => install_providers(),
        Some(other) => Err(format!(
            "unknown argument `{other}`; expected one of --hold, --hold-dynamodb, --install-providers"
        )
        .into()),
    };
    if let Err(error) = outcome {
        // If stderr is closed, only the exit code is left to report the failure.
        let _ = writeln!(io::stderr(), "{error}");
        process::exit(1);
    }
}

fn say_which() -> Result<(), Box<dyn Error>> {
    TestRedis::provide()?;
    TestCluster::provide()?;
    TestDynamoDb::provide()?;
    let local = RedisServer::start(RedisOptions::default())?;
    let version = local.version()?;
    writeln!(
        io::stderr(),
        "Redis for kills, pauses and failovers: local {version}"
    )?;
    Ok(())
}

fn hold() -> Result<(), Box<dyn Error>> {
    let redis = RedisServer::start(RedisOptions::default())?;
    let pid = redis.pid().ok_or("Redis exited at once")?;
    writeln!(io::stdout(), "{pid} {}", redis.url())?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn hold_dynamodb() -> Result<(), Box<dyn Error>> {
    let dynamodb = TestDynamoDb::provide()?;
    writeln!(io::stdout(), "{} {}", dynamodb.url(), dynamodb.endpoint())?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn install_providers() -> Result<(), Box<dyn Error>> {
    let mut failed = Vec::new();
    for provider in OpenIdProvider::ALL {
        writeln!(io::stderr(), "installing {provider:?}")?;
        if let Err(error) = provider.install_with_packages() {
            failed.push(format!("{provider:?} cannot be installed: {error}"));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(failed.join("\n").into())
}

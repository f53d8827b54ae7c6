//! Says which servers the tests of this machine run on, or which command is missing.
//!
//! `servers --hold` starts a local Redis instead, prints its pid and URL, and keeps it until
//! standard input ends: for a look by hand, and for the test that kills the holder.
//! `servers --hold-dynamodb` finds or starts a DynamoDB as tests do, prints its URL and its endpoint, and keeps it likewise:
//! for many tests that share one.
//! `servers --install-providers` installs the OpenID providers of other projects, and names those that cannot be installed.

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
            "unknown argument {other}; there are --hold, --hold-dynamodb, --install-providers"
        )
        .into()),
    };
    if let Err(error) = outcome {
        // Without a stderr the exit code has to do.
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
        "redis to kill, pause and fail over: local {version}"
    )?;
    Ok(())
}

fn hold() -> Result<(), Box<dyn Error>> {
    let redis = RedisServer::start(RedisOptions::default())?;
    let pid = redis.pid().ok_or("it ended at once")?;
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

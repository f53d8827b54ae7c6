//! Connecting by a URL: credentials and Region are found in the environment, so each case is a process with one of its own.

use std::{env, process::Command};

use token_cache_core::{ErrorKind, TokenStore};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};

use crate::engine::TABLE;
use crate::on_an_engine::engine;

/// The variable with the URL for a child process.
const URL: &str = "TOKEN_CACHE_TEST_URL";

const CREDENTIALS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "a secret key that opens nothing"),
];

/// What the child says of a connection: `connected`, or the error's kind and text.
fn connecting(parameters: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "on_an_engine::connect::child", "--nocapture"])
        .env_clear()
        .env(URL, format!("dynamodb://{TABLE}?{parameters}"))
        // Only the environment is used: no profile of the user, and no instance metadata.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said
        .lines()
        .find_map(|line| line.split_once("child says: "));
    line.unwrap_or_else(|| panic!("the child says nothing: {said}"))
        .1
        .to_owned()
}

/// Run by the others in a process of its own; on its own it has nothing to connect to.
#[tokio::test]
async fn child() {
    let Ok(url) = env::var(URL) else { return };
    let config = DynamoDbConfig::from_url(&url).unwrap();
    let said = match DynamoDbStore::connect(config).await {
        Ok(store) => {
            store.namespace().await.unwrap();
            "connected".to_owned()
        }
        Err(error) => format!("{:?}: {error}", error.kind()),
    };
    println!("child says: {said}");
}

fn says(kind: ErrorKind, part: &str, said: &str) {
    assert!(said.starts_with(&format!("{kind:?}: ")), "{said}");
    assert!(said.contains(part), "{said}");
}

#[test]
fn credentials_and_region_are_found_in_the_environment() {
    let endpoint = format!("endpoint={}", engine().endpoint);
    let with_region = format!("{endpoint}&region=eu-central-1");
    assert_eq!(connecting(&with_region, &CREDENTIALS), "connected");
    let mut environment = CREDENTIALS.to_vec();
    environment.push(("AWS_REGION", "eu-central-1"));
    assert_eq!(connecting(&endpoint, &environment), "connected");

    for parameters in [endpoint.as_str(), ""] {
        let said = connecting(parameters, &CREDENTIALS);
        says(ErrorKind::Config, "AWS_REGION", &said);
    }
    let said = connecting(&with_region, &[]);
    says(ErrorKind::Denied, "AWS_PROFILE", &said);
}

/// The TLS stack works: it starts a handshake, and reports a server without TLS.
#[test]
fn a_server_without_tls_is_unavailable() {
    let endpoint = format!(
        "endpoint=https://{}&region=eu-central-1",
        engine().address().unwrap()
    );
    let said = connecting(&endpoint, &CREDENTIALS);
    says(ErrorKind::Unavailable, "no connection can be opened", &said);
}

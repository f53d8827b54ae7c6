//! The key ring of the environment, read in a process of its own, whose environment the test can set.

use std::process::Command;

use token_cache_core::{KeyRing, MemoryStore, TokenCache};

use crate::sealing::secret;

const CHILD: &str = "sealing::environment::a_cache_without_a_ring_takes_the_environments";
const RING: &str = "seal 2026-11 yrXc1Yk0Dcu3vhQ2k1nmzEbkMxN7gJ8sJb1dwS0n6kE=, open secret";

/// The tests below run it as well, with the variable set.
#[tokio::test]
async fn a_cache_without_a_ring_takes_the_environments() {
    let opened = TokenCache::builder(MemoryStore::new())
        .secret(secret())
        .open()
        .await;
    let names = opened.map(|cache| {
        let keys = cache.encryption_stats().keys.into_iter();
        keys.map(|key| key.name).collect::<Vec<_>>()
    });
    match std::env::var(KeyRing::VARIABLE).as_deref() {
        Ok(RING) => assert_eq!(names.unwrap(), ["2026-11", "secret"]),
        Ok(_) => assert!(names.unwrap_err().to_string().contains("no key seals")),
        Err(_) => assert_eq!(names.unwrap(), ["secret"]),
    }
}

fn with_variable(value: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact"])
        .env(KeyRing::VARIABLE, value)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
fn the_environment_names_the_ring() {
    with_variable(RING);
}

#[test]
fn an_empty_variable_is_an_error() {
    with_variable("");
}

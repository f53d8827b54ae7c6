//! The command itself: what it prints, and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Output, Stdio};

fn demo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_token-cache-demo"));
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn it_tells_the_story_without_colours_where_no_terminal_is() {
    let output = demo(&[]);
    assert_eq!(output.status.code(), Some(0));
    let told = text(output.stdout);
    assert!(told.contains("✓ token-cache kept its promises"), "{told}");
    assert!(told.contains("✗ The plain cache let her back in"), "{told}");
    assert!(!told.contains('\x1b'), "{told}");
    assert_eq!(text(output.stderr), "");
}

#[test]
fn it_writes_json_for_machines() {
    let output = demo(&["--json"]);
    assert_eq!(output.status.code(), Some(0));
    let events: Vec<serde_json::Value> = text(output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.last().unwrap()["conclusion"], "proved");
}

#[test]
fn it_refuses_what_it_does_not_know() {
    for args in [
        ["--nonsense"].as_slice(),
        &["--store", "mysql://root:hunter2@db"],
    ] {
        let output = demo(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let refusal = text(output.stderr);
        assert!(refusal.contains("cargo demo"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn an_app_server_ends_when_its_standard_input_does() {
    assert_eq!(demo(&["--server"]).status.code(), Some(0));
}

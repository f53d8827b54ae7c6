//! The story in memory: what it says when all is well, and when it is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use serde_json::{Value, json};
use token_cache_demo::{CacheKind, Exit, Fleet, JsonLines, STEPS, ServerCaches, Timeline, tell};

const PLAIN_CACHE_ERRS: [&str; 4] = [
    "late_refresh",
    "api_after_refresh_on_b",
    "api_after_refresh_on_c",
    "other_browser_returns",
];

async fn in_tasks(change: impl Fn(ServerCaches) -> ServerCaches) -> Fleet {
    let caches = ServerCaches::in_memory().await.unwrap();
    Fleet::of_tasks(caches.map(change)).await.unwrap()
}

async fn events(fleet: &Fleet) -> (Exit, Vec<Value>) {
    let mut written = Vec::new();
    let verdict = tell(fleet, &mut JsonLines::new(&mut written))
        .await
        .unwrap();
    let lines = String::from_utf8(written).unwrap();
    let events = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (verdict.exit(), events.collect())
}

async fn timeline(fleet: &Fleet) -> String {
    let mut written = Vec::new();
    tell(fleet, &mut Timeline::plain(&mut written))
        .await
        .unwrap();
    String::from_utf8(written).unwrap()
}

/// Returns the outcome of each step with one kind of cache, as `name: outcome`.
fn deeds<'a>(events: &'a [Value], kind: &str) -> Vec<(&'a str, &'a str, bool)> {
    let steps = events.iter().filter(|event| event["event"] == "step");
    steps
        .map(|step| {
            let deed = &step[kind];
            let outcome = deed["outcome"].as_str().unwrap();
            let right = deed["right"].as_bool().unwrap();
            (step["name"].as_str().unwrap(), outcome, right)
        })
        .collect()
}

#[tokio::test]
async fn token_cache_keeps_its_promises_and_the_plain_cache_does_not() {
    let (exit, events) = events(&in_tasks(|as_it_is| as_it_is).await).await;
    assert_eq!(exit, Exit::Proved);
    assert_eq!(
        events[0],
        json!({"event": "begin", "store": "memory", "servers": "tasks"})
    );
    let verdict = events.last().unwrap();
    assert_eq!(verdict["event"], "verdict");
    assert_eq!(verdict["conclusion"], "proved");
    assert_eq!(verdict["token_cache_wrong"], json!([]));
    assert_eq!(verdict["plain_cache_wrong"], json!(PLAIN_CACHE_ERRS));
    assert_eq!(verdict["exit_code"], 0);

    let outcomes: Vec<_> = deeds(&events, "token_cache")
        .into_iter()
        .map(|(_, outcome, _)| outcome)
        .collect();
    let until_sign_out = [
        "signed_in",
        "called",
        "called",
        "in_flight",
        "redirected",
        "from_near_cache",
        "from_near_cache",
        "backplane_cut",
        "signed_out",
    ];
    let afterwards = ["refused"; 7];
    let again = ["signed_in", "called"];
    assert_eq!(
        outcomes,
        [&until_sign_out[..], &afterwards[..], &again[..]].concat()
    );
}

#[tokio::test]
async fn the_sign_out_waits_for_the_server_whose_backplane_was_cut_and_for_no_other() {
    let (_, events) = events(&in_tasks(|as_it_is| as_it_is).await).await;
    let step = |name: &str| events.iter().find(|event| event["name"] == name).unwrap();
    assert_eq!(step("link_is_cut")["server"], "C");
    assert_eq!(
        step("link_is_cut")["plain_cache"]["outcome"],
        "no_backplane"
    );
    let sign_out = step("sign_out");
    assert_eq!(sign_out["token_cache"]["waited"]["silent"], json!(["C"]));
    assert_eq!(sign_out["plain_cache"]["waited"], json!(null));
}

#[tokio::test]
async fn the_plain_cache_serves_what_the_late_refresh_stored() {
    let (_, events) = events(&in_tasks(|as_it_is| as_it_is).await).await;
    let step = |name: &str| {
        let mut steps = events.iter();
        steps.find(|event| event["name"] == name).unwrap()["plain_cache"].clone()
    };
    let stored = step("late_refresh");
    assert_eq!(stored["outcome"], "refreshed");
    for name in ["api_after_refresh_on_b", "api_after_refresh_on_c"] {
        let served = step(name);
        assert_eq!(
            (&served["outcome"], &served["token"]),
            (&json!("called"), &stored["token"])
        );
    }
}

#[tokio::test]
async fn a_broken_promise_is_told_and_fails_the_process() {
    let fleet = in_tasks(|caches| caches.both_of(CacheKind::PlainCache)).await;
    let (exit, events) = events(&fleet).await;
    assert_eq!((exit, exit.code()), (Exit::PromiseBroken, 1));
    let verdict = events.last().unwrap();
    assert_eq!(verdict["conclusion"], "promise_broken");
    assert_eq!(verdict["token_cache_wrong"], json!(PLAIN_CACHE_ERRS));
    assert_eq!(verdict["exit_code"], 1);

    let fleet = in_tasks(|caches| caches.both_of(CacheKind::PlainCache)).await;
    let text = timeline(&fleet).await;
    assert!(
        text.contains("BROKE A PROMISE at step 13 (late_refresh)"),
        "{text}"
    );
}

#[tokio::test]
async fn a_plain_cache_that_behaves_proves_nothing() {
    let fleet = in_tasks(|caches| caches.both_of(CacheKind::TokenCache)).await;
    let (exit, events) = events(&fleet).await;
    assert_eq!((exit, exit.code()), (Exit::ProvesNothing, 3));
    let verdict = events.last().unwrap();
    assert_eq!(verdict["conclusion"], "proves_nothing");
    assert_eq!(verdict["plain_cache_wrong"], json!([]));
}

/// Processes with a memory store each share nothing, so what A stored is lost on B.
#[tokio::test]
async fn processes_that_share_no_store_lose_the_session_and_fail() {
    let program = Path::new(env!("CARGO_BIN_EXE_token-cache-demo"));
    let fleet = Fleet::of_processes(program, "memory:").await.unwrap();
    assert_eq!(fleet.kind(), "processes");
    let (exit, events) = events(&fleet).await;
    assert_eq!(exit, Exit::PromiseBroken);
    assert_eq!(
        deeds(&events, "plain_cache"),
        [
            ("sign_in", "signed_in", true),
            ("api_on_b", "no_tokens", false)
        ]
    );
    assert_eq!(
        events.last().unwrap()["token_cache_wrong"],
        json!(["api_on_b"])
    );
}

#[tokio::test]
async fn processes_that_cannot_open_the_store_say_why() {
    let program = Path::new(env!("CARGO_BIN_EXE_token-cache-demo"));
    let failure = Fleet::of_processes(program, "mysql://db")
        .await
        .unwrap_err();
    assert!(
        failure.to_string().contains("the store's URL is"),
        "{failure}"
    );
}

#[tokio::test]
async fn the_timeline_has_a_line_a_step_and_fits_a_terminal() {
    let text = timeline(&in_tasks(|as_it_is| as_it_is).await).await;
    for (index, step) in STEPS.iter().enumerate() {
        let start = format!("  {:>2}  {}  {}", index + 1, step.server, step.text);
        assert!(
            text.lines().any(|line| line.starts_with(&start)),
            "{start}\n{text}"
        );
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{text}");
}

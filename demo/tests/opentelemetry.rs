//! A collector that is told what the caches do, and nothing of whom.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "opentelemetry")]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// The requests to each path.
type Received = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Takes what is sent by HTTP, and answers that it is fine.
fn collector() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let received = Received::default();
    let told = Arc::clone(&received);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let told = Arc::clone(&told);
            thread::spawn(move || take(&connection.unwrap(), &told));
        }
    });
    (endpoint, received)
}

/// Takes request after request of a connection, until it is closed.
fn take(connection: &TcpStream, received: &Received) {
    let (mut reader, mut writer) = (BufReader::new(connection), connection);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        received
            .lock()
            .unwrap()
            .entry(path)
            .or_default()
            .extend(body);
        writer
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn a_collector_hears_of_every_sign_out_and_of_no_user() {
    let (endpoint, received) = collector();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_token-cache-demo"));
    let output = demo
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let received = received.lock().unwrap();
    let (spans, figures) = (&received["/v1/traces"], &received["/v1/metrics"]);
    for span in [
        "token_cache.sign_out",
        "token_cache.refresh",
        "token_cache.call_provider",
    ] {
        assert!(holds(spans, span), "{span}");
    }
    for figure in ["token_cache_sign_outs_total", "token_cache_refreshes_total"] {
        assert!(holds(figures, figure), "{figure}");
    }
    // The story's user, client, API and signed tokens.
    for (told, secret) in [spans, figures]
        .into_iter()
        .flat_map(|told| ["ada-", "shop", "api.example", "eyJ"].map(|secret| (told, secret)))
    {
        assert!(!holds(told, secret), "{secret}");
    }
    // A figure is labelled with the issuer that is configured; no span names it.
    assert!(!holds(spans, "127.0.0.1"));
}

//! `cargo demo -- --serve` as a command: what it prints, and how it ends.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

fn serve(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_token-cache-demo"))
        .arg("--serve")
        .args(args)
        .env_remove("TOKEN_CACHE_SECRET")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let output = serve(args).wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn it_says_where_it_is_and_ends_by_ctrl_c_with_pages_open() {
    let mut serving = serve(&["--public-url", "http://127.0.0.1:0", "--instances", "2"]);
    let mut told = String::new();
    let mut lines = BufReader::new(serving.stdout.take().unwrap());
    while !told.contains("Ctrl-C") {
        assert_ne!(lines.read_line(&mut told).unwrap(), 0, "{told}");
    }
    assert!(told.contains("2 app servers share one cache"), "{told}");
    assert!(told.contains("a random one"), "{told}");
    let (_, rest) = told.split_once("http://127.0.0.1:").unwrap();
    let port: u16 = rest.split_once('/').unwrap().0.parse().unwrap();

    let mut page = TcpStream::connect(("127.0.0.1", port + 1)).unwrap();
    let request = format!(
        "GET /events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
        port + 1
    );
    page.write_all(request.as_bytes()).unwrap();
    let mut first = [0; 15];
    page.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");

    let pid = Pid::from_raw(i32::try_from(serving.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(serving.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_and_a_provider_that_is_not_there_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let (code, said) = refusal(&["--public-url", &url]);
    assert_eq!(code, Some(4));
    assert!(said.contains(&url["http://".len()..]), "{said}");
    assert!(said.contains("--public-url"), "{said}");

    drop(taken);
    let (code, said) = refusal(&[
        "--public-url=http://127.0.0.1:0",
        &format!("--issuer={url}"),
        "--client-id=shop",
        "--client-secret=hunter2",
    ]);
    assert_eq!(code, Some(4));
    assert!(said.contains(&url), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn arguments_that_make_no_sense_together_are_refused() {
    for (args, says) in [
        (&["--json"][..], "--json"),
        (&["--instances", "0"], "1 to 26"),
        (&["--issuer", "https://id.example"], "--client-id"),
        (&["--public-url", "http://shop.example"], "TLS"),
    ] {
        let (code, said) = refusal(args);
        assert_eq!(code, Some(2), "{args:?}");
        assert!(said.contains(says), "{said}");
    }
}

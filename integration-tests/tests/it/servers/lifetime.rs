use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::panic;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Checks the address: the process's entry in /proc stays until it is reaped.
fn wait_until_gone(address: &str) {
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{address} still answers"
        );
    }
}

/// Starts a process that owns a Redis, and returns it with the server's address.
fn holder() -> (Child, String) {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_servers"))
        .arg("--hold")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().rsplit_once("redis://").unwrap().1.to_owned();
    (holder, address)
}

#[test]
fn dropped_it_is_gone_with_its_folder() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let (pid, folder) = (redis.pid().unwrap(), redis.folder().to_owned());
    assert!(is_alive(pid) && folder.exists());
    drop(redis);
    assert!(!is_alive(pid));
    assert!(!folder.exists());
}

#[test]
fn a_panicking_test_leaves_no_server() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let pid = redis.pid().unwrap();
    let outcome = panic::catch_unwind(move || {
        let _held = redis;
        panic!("the test fails");
    });
    assert!(outcome.is_err());
    assert!(!is_alive(pid));
}

#[test]
fn a_killed_test_process_leaves_no_server() {
    let (mut holder, address) = holder();
    TcpStream::connect(&address).unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_until_gone(&address);
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let redis = std::thread::spawn(|| RedisServer::start(RedisOptions::default()).unwrap())
        .join()
        .unwrap();
    redis.cli(&["PING"]).unwrap();
}

#[test]
fn a_holder_whose_input_ends_stops_its_server() {
    let (mut holder, address) = holder();
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err());
}

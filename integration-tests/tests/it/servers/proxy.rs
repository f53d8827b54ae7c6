use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use token_cache_integration_tests::servers::{Client, Fault, Proxy, RedisOptions, RedisServer};

const LONG: Duration = Duration::from_secs(20);

fn behind_proxy() -> (RedisServer, Proxy) {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let proxy = Proxy::start(redis.address()).unwrap();
    (redis, proxy)
}

fn connect(proxy: &Proxy) -> Client {
    Client::connect(proxy.address(), LONG).unwrap()
}

#[test]
fn requests_are_counted_one_by_one_also_in_a_pipeline() {
    let (_redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    let large = "x".repeat(300_000);
    client.call(&["SET", "key", &large]).unwrap();
    for _ in 0..100 {
        client.send(&["GET", "key"]).unwrap();
    }
    for _ in 0..100 {
        assert_eq!(
            client.receive().unwrap().text().map(str::len),
            Some(300_000)
        );
    }
    assert_eq!(proxy.requests(), 101);
    assert_eq!(proxy.requests_of("get"), 100);
    assert_eq!(proxy.requests_of("DEL"), 0);
}

#[test]
fn a_request_cut_in_the_middle_is_never_applied() {
    let (redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    client.call(&["SET", "key", "before"]).unwrap();
    proxy.on_next("SET", Fault::CutRequest);
    assert_eq!(client.call(&["GET", "key"]).unwrap().text(), Some("before"));
    assert_eq!(proxy.faults(), 0);
    assert!(client.call(&["SET", "key", "after"]).is_err());
    assert_eq!(proxy.faults(), 1);
    assert_eq!(redis.cli(&["GET", "key"]).unwrap().text(), Some("before"));
    connect(&proxy).call(&["SET", "key", "again"]).unwrap();
    assert_eq!(redis.cli(&["GET", "key"]).unwrap().text(), Some("again"));
}

#[test]
fn a_request_whose_reply_is_dropped_is_applied() {
    let (redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    proxy.on_next("INCR", Fault::DropReply);
    client.send(&["SET", "other", "1"]).unwrap();
    client.send(&["INCR", "counter"]).unwrap();
    client.send(&["GET", "other"]).unwrap();
    assert_eq!(client.receive().unwrap().text(), Some("OK"));
    assert!(client.receive().is_err());
    assert_eq!(proxy.faults(), 1);
    assert_eq!(redis.cli(&["GET", "counter"]).unwrap().text(), Some("1"));
}

#[test]
fn pushes_are_not_taken_for_replies() {
    let (redis, proxy) = behind_proxy();
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    proxy.on_next("PING", Fault::DropReply);
    stream
        .write_all(b"HELLO 3\r\nSUBSCRIBE news\r\nECHO welcome\r\n")
        .unwrap();
    let start = Instant::now();
    while redis.cli(&["PUBLISH", "news", "extra"]).unwrap().int() != Some(1) {
        assert!(start.elapsed() < LONG, "no connection subscribed");
    }
    stream.write_all(b"PING\r\n").unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).unwrap();
    assert_eq!(proxy.faults(), 1);
    for delivered in ["subscribe", "welcome", "extra"] {
        assert!(received.contains(delivered), "{delivered}: {received}");
    }
    assert!(!received.contains("PONG"), "{received}");
}

#[test]
fn a_cut_breaks_open_connections_and_welcomes_new_ones() {
    let (_redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    client.call(&["PING"]).unwrap();
    proxy.cut();
    assert!(client.call(&["PING"]).is_err());
    connect(&proxy).call(&["PING"]).unwrap();
}

#[test]
fn while_it_refuses_no_connection_lasts() {
    let (_redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    client.call(&["PING"]).unwrap();
    proxy.refuse(true);
    assert!(client.call(&["PING"]).is_err());
    assert!(connect(&proxy).call(&["PING"]).is_err());
    proxy.refuse(false);
    connect(&proxy).call(&["PING"]).unwrap();
}

#[test]
fn frozen_it_delivers_nothing_and_loses_nothing() {
    let (redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    client.call(&["PING"]).unwrap();
    proxy.freeze();
    client.send(&["SET", "key", "value"]).unwrap();
    let mut hasty = Client::connect(proxy.address(), Duration::from_millis(100)).unwrap();
    assert!(hasty.call(&["PING"]).is_err());
    assert!(redis.cli(&["GET", "key"]).unwrap().is_nil());
    proxy.thaw();
    assert_eq!(client.receive().unwrap().text(), Some("OK"));
    assert_eq!(redis.cli(&["GET", "key"]).unwrap().text(), Some("value"));
}

#[test]
fn a_delay_holds_replies_back() {
    let (_redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    let delay = Duration::from_millis(50);
    proxy.delay(delay);
    let start = Instant::now();
    client.call(&["PING"]).unwrap();
    assert!(start.elapsed() >= delay);
}

#[test]
fn dropped_it_is_gone() {
    let (_redis, proxy) = behind_proxy();
    let mut client = connect(&proxy);
    client.call(&["PING"]).unwrap();
    drop(proxy);
    assert!(client.call(&["PING"]).is_err());
}

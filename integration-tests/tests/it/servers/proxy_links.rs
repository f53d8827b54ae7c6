use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use token_cache_integration_tests::servers::{Client, Proxy, RedisOptions, RedisServer};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

/// A server behind a proxy, a connection that subscribes to `news`, and one that does not.
struct Setup {
    redis: RedisServer,
    proxy: Proxy,
    backplane: TcpStream,
    other: Client,
}

fn setup() -> Setup {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let proxy = Proxy::start(redis.address()).unwrap();
    let backplane = subscribed(&proxy);
    let mut other = Client::connect(proxy.address(), LONG).unwrap();
    other.call(&["PING"]).unwrap();
    Setup {
        redis,
        proxy,
        backplane,
        other,
    }
}

fn subscribed(proxy: &Proxy) -> TcpStream {
    let mut backplane = TcpStream::connect(proxy.address()).unwrap();
    backplane.set_read_timeout(Some(LONG)).unwrap();
    backplane
        .write_all(b"HELLO 3\r\nSUBSCRIBE news\r\nECHO welcome\r\n")
        .unwrap();
    read_until(&mut backplane, "welcome\r\n");
    backplane
}

/// Returns what is received, up to and including `text`.
fn read_until(backplane: &mut TcpStream, text: &str) -> String {
    let mut received = String::new();
    while !received.contains(text) {
        let mut byte = [0];
        let count = backplane.read(&mut byte).unwrap();
        assert_eq!(count, 1, "the connection ended after {received}");
        received.push(char::from(byte[0]));
    }
    received
}

fn ends(backplane: &mut TcpStream) -> bool {
    matches!(backplane.read(&mut [0; 1024]), Ok(0) | Err(_))
}

#[test]
fn a_cut_of_backplanes_spares_all_other_connections() {
    let mut setup = setup();
    assert_eq!(setup.proxy.links(), 1);
    setup.proxy.cut_links();
    assert!(ends(&mut setup.backplane));
    assert_eq!(setup.proxy.links(), 0);
    setup.other.call(&["PING"]).unwrap();
    subscribed(&setup.proxy);
}

#[test]
fn while_backplanes_are_refused_a_connection_ends_when_it_subscribes() {
    let mut setup = setup();
    setup.proxy.refuse_links(true);
    assert!(ends(&mut setup.backplane));
    setup.other.call(&["PING"]).unwrap();
    let mut again = Client::connect(setup.proxy.address(), LONG).unwrap();
    again.call(&["PING"]).unwrap();
    assert!(again.call(&["SUBSCRIBE", "news"]).is_err());
    setup.proxy.refuse_links(false);
    subscribed(&setup.proxy);
}

#[test]
fn frozen_backplanes_deliver_nothing_and_lose_nothing() {
    let mut setup = setup();
    setup.proxy.freeze_links();
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    setup.other.call(&["PING"]).unwrap();
    setup.backplane.set_read_timeout(Some(SHORT)).unwrap();
    assert!(
        setup.backplane.read(&mut [0; 1024]).is_err(),
        "it was delivered"
    );
    setup.backplane.set_read_timeout(Some(LONG)).unwrap();
    setup.proxy.thaw_links();
    read_until(&mut setup.backplane, "extra");
}

const HELD_BACK: Duration = Duration::from_millis(500);

#[test]
fn a_reply_overtakes_pushes_that_are_held_back() {
    let mut setup = setup();
    setup.proxy.part_links(Duration::ZERO, HELD_BACK);
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    setup.backplane.write_all(b"ECHO answer\r\n").unwrap();
    assert!(!read_until(&mut setup.backplane, "answer").contains("extra"));
    read_until(&mut setup.backplane, "extra");
    setup.proxy.join_links();
}

#[test]
fn a_push_overtakes_replies_that_are_held_back() {
    let mut setup = setup();
    setup.proxy.part_links(HELD_BACK, Duration::ZERO);
    setup.backplane.write_all(b"ECHO answer\r\n").unwrap();
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    assert!(!read_until(&mut setup.backplane, "extra").contains("answer"));
    read_until(&mut setup.backplane, "answer");
    setup.proxy.join_links();
}

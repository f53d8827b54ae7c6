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
    link: TcpStream,
    other: Client,
}

fn setup() -> Setup {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let proxy = Proxy::start(redis.address()).unwrap();
    let link = subscribed(&proxy);
    let mut other = Client::connect(proxy.address(), LONG).unwrap();
    other.call(&["PING"]).unwrap();
    Setup {
        redis,
        proxy,
        link,
        other,
    }
}

fn subscribed(proxy: &Proxy) -> TcpStream {
    let mut link = TcpStream::connect(proxy.address()).unwrap();
    link.set_read_timeout(Some(LONG)).unwrap();
    link.write_all(b"HELLO 3\r\nSUBSCRIBE news\r\nECHO welcome\r\n")
        .unwrap();
    read_until(&mut link, "welcome\r\n");
    link
}

/// What comes, up to and with `text`.
fn read_until(link: &mut TcpStream, text: &str) -> String {
    let mut received = String::new();
    while !received.contains(text) {
        let mut byte = [0];
        let count = link.read(&mut byte).unwrap();
        assert_eq!(count, 1, "the connection ended after {received}");
        received.push(char::from(byte[0]));
    }
    received
}

fn ends(link: &mut TcpStream) -> bool {
    matches!(link.read(&mut [0; 1024]), Ok(0) | Err(_))
}

#[test]
fn a_cut_of_links_spares_all_other_connections() {
    let mut setup = setup();
    assert_eq!(setup.proxy.links(), 1);
    setup.proxy.cut_links();
    assert!(ends(&mut setup.link));
    assert_eq!(setup.proxy.links(), 0);
    setup.other.call(&["PING"]).unwrap();
    subscribed(&setup.proxy);
}

#[test]
fn while_links_are_refused_a_connection_ends_when_it_subscribes() {
    let mut setup = setup();
    setup.proxy.refuse_links(true);
    assert!(ends(&mut setup.link));
    setup.other.call(&["PING"]).unwrap();
    let mut again = Client::connect(setup.proxy.address(), LONG).unwrap();
    again.call(&["PING"]).unwrap();
    assert!(again.call(&["SUBSCRIBE", "news"]).is_err());
    setup.proxy.refuse_links(false);
    subscribed(&setup.proxy);
}

#[test]
fn frozen_links_deliver_nothing_and_lose_nothing() {
    let mut setup = setup();
    setup.proxy.freeze_links();
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    setup.other.call(&["PING"]).unwrap();
    setup.link.set_read_timeout(Some(SHORT)).unwrap();
    assert!(setup.link.read(&mut [0; 1024]).is_err(), "it was delivered");
    setup.link.set_read_timeout(Some(LONG)).unwrap();
    setup.proxy.thaw_links();
    read_until(&mut setup.link, "extra");
}

const HELD_BACK: Duration = Duration::from_millis(500);

#[test]
fn a_reply_overtakes_pushes_that_are_held_back() {
    let mut setup = setup();
    setup.proxy.part_links(Duration::ZERO, HELD_BACK);
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    setup.link.write_all(b"ECHO answer\r\n").unwrap();
    assert!(!read_until(&mut setup.link, "answer").contains("extra"));
    read_until(&mut setup.link, "extra");
    setup.proxy.join_links();
}

#[test]
fn a_push_overtakes_replies_that_are_held_back() {
    let mut setup = setup();
    setup.proxy.part_links(HELD_BACK, Duration::ZERO);
    setup.link.write_all(b"ECHO answer\r\n").unwrap();
    setup.redis.cli(&["PUBLISH", "news", "extra"]).unwrap();
    assert!(!read_until(&mut setup.link, "extra").contains("answer"));
    read_until(&mut setup.link, "answer");
    setup.proxy.join_links();
}

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use token_cache_integration_tests::servers::{AppendFsync, Client, RedisOptions, RedisServer};

fn start(options: RedisOptions) -> RedisServer {
    RedisServer::start(options).unwrap()
}

#[test]
fn without_persistence_a_restart_is_empty_on_the_same_port() {
    let mut redis = start(RedisOptions::default());
    let (port, pid) = (redis.port(), redis.pid().unwrap());
    redis.cli(&["SET", "key", "value"]).unwrap();
    redis.kill9().unwrap();
    assert!(TcpStream::connect(redis.address()).is_err());
    assert!(redis.cli(&["PING"]).is_err());
    redis.restart().unwrap();
    assert_eq!(redis.port(), port);
    assert_ne!(redis.pid().unwrap(), pid);
    assert!(redis.cli(&["GET", "key"]).unwrap().is_nil());
}

#[test]
fn with_an_append_only_file_a_restart_has_the_data() {
    let appendonly = Some(AppendFsync::Always);
    let mut redis = start(RedisOptions {
        appendonly,
        ..RedisOptions::default()
    });
    redis.cli(&["SET", "key", "value"]).unwrap();
    redis.kill9().unwrap();
    redis.restart().unwrap();
    assert_eq!(redis.cli(&["GET", "key"]).unwrap().text(), Some("value"));
}

#[test]
fn a_running_server_is_not_started_twice() {
    let mut redis = start(RedisOptions::default());
    assert!(
        redis
            .restart()
            .unwrap_err()
            .to_string()
            .contains("is running already")
    );
}

#[test]
fn a_paused_server_keeps_connections_and_answers_nothing_until_resumed() {
    let redis = start(RedisOptions::default());
    let mut patient = redis.client().unwrap();
    patient.call(&["PING"]).unwrap();
    redis.pause().unwrap();
    let mut hasty = Client::connect(redis.address(), Duration::from_millis(100)).unwrap();
    assert!(hasty.call(&["PING"]).is_err());
    patient.send(&["PING"]).unwrap();
    redis.resume().unwrap();
    assert_eq!(patient.receive().unwrap().text(), Some("PONG"));
}

#[test]
fn a_paused_server_can_be_killed() {
    let mut redis = start(RedisOptions::default());
    redis.pause().unwrap();
    redis.kill9().unwrap();
    redis.restart().unwrap();
    redis.cli(&["PING"]).unwrap();
}

#[test]
fn a_password_and_users_are_asked_for() {
    let redis = start(RedisOptions {
        requirepass: Some("admin-password".into()),
        users: vec!["app on >app-password ~tc:* -@all +get".into()],
        ..RedisOptions::default()
    });
    let mut stranger = Client::connect(redis.address(), Duration::from_secs(5)).unwrap();
    assert!(
        stranger
            .call(&["GET", "tc:a"])
            .unwrap_err()
            .to_string()
            .contains("NOAUTH")
    );
    stranger.call(&["AUTH", "app", "app-password"]).unwrap();
    stranger.call(&["GET", "tc:a"]).unwrap();
    assert!(
        stranger
            .call(&["GET", "other"])
            .unwrap_err()
            .to_string()
            .contains("NOPERM")
    );
    redis.cli(&["SET", "other", "x"]).unwrap();
    assert_eq!(
        redis.url(),
        format!("redis://:admin-password@{}", redis.address())
    );
}

#[test]
fn memory_limits_and_further_lines_reach_the_server() {
    let redis = start(RedisOptions {
        maxmemory: Some("64mb".into()),
        maxmemory_policy: Some("allkeys-lru".into()),
        extra: vec![("timeout".into(), "77".into())],
        ..RedisOptions::default()
    });
    for (name, value) in [
        ("maxmemory", "67108864"),
        ("maxmemory-policy", "allkeys-lru"),
        ("timeout", "77"),
    ] {
        let answer = redis.cli(&["CONFIG", "GET", name]).unwrap();
        assert_eq!(answer.items().unwrap()[1].text(), Some(value), "{name}");
    }
}

#[test]
fn a_unix_socket_answers() {
    let redis = start(RedisOptions {
        unix_socket: true,
        ..RedisOptions::default()
    });
    let stream = UnixStream::connect(redis.unix_socket()).unwrap();
    assert_eq!(
        Client::over(stream).call(&["PING"]).unwrap().text(),
        Some("PONG")
    );
}

#[test]
fn a_server_that_refuses_its_configuration_shows_what_it_said() {
    let extra = vec![("no-such-option".into(), "1".into())];
    let error = RedisServer::start(RedisOptions {
        extra,
        ..RedisOptions::default()
    })
    .unwrap_err();
    assert!(error.to_string().contains("no-such-option"), "{error}");
}

#[tokio::test]
async fn it_can_be_used_inside_an_async_runtime() {
    let mut redis = start(RedisOptions::default());
    redis.kill9().unwrap();
    redis.restart().unwrap();
    redis.cli(&["PING"]).unwrap();
}

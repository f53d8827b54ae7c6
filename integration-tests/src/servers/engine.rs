use std::env;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const USUAL_SOCKET: &str = "/var/run/docker.sock";
const TIMEOUT: Duration = Duration::from_secs(2);

/// The container engine that `DOCKER_HOST` names or that listens on the usual socket, if it
/// answers.
pub(super) fn answering() -> Option<String> {
    let host = env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty())
        .unwrap_or_else(|| format!("unix://{USUAL_SOCKET}"));
    answers(&host).then_some(host)
}

fn answers(host: &str) -> bool {
    if let Some(path) = host.strip_prefix("unix://") {
        return UnixStream::connect(path).is_ok_and(|stream| {
            stream.set_read_timeout(Some(TIMEOUT)).is_ok() && is_pong(stream)
        });
    }
    let Some(address) = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://")) else {
        return false;
    };
    let address = address.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    let stream = address.and_then(|address| TcpStream::connect_timeout(&address, TIMEOUT).ok());
    stream.is_some_and(|stream| stream.set_read_timeout(Some(TIMEOUT)).is_ok() && is_pong(stream))
}

/// Asks `/_ping`, which every engine with Docker's interface has.
fn is_pong(mut stream: impl Read + Write) -> bool {
    let mut answer = [0; 64];
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n").is_ok()
        && stream
            .read(&mut answer)
            .is_ok_and(|count| answer[..count].starts_with(b"HTTP/1.1 200"))
}

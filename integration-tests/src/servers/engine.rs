use std::env;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const USUAL: &str = "unix:///var/run/docker.sock";
const TIMEOUT: Duration = Duration::from_secs(2);

/// The container engine of this machine, if one answers: `DOCKER_HOST`, else the usual socket.
///
/// Only one on a unix socket is used: what it publishes is on loopback, where a cluster can
/// announce it.
pub(super) fn answering() -> Option<String> {
    let named = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let host = named.unwrap_or_else(|| USUAL.to_owned());
    let stream = UnixStream::connect(host.strip_prefix("unix://")?).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    is_pong(stream).then_some(host)
}

/// Asks `/_ping`, which every engine with Docker's interface has.
fn is_pong(mut stream: UnixStream) -> bool {
    let mut answer = [0; 64];
    stream
        .write_all(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        .is_ok()
        && stream
            .read(&mut answer)
            .is_ok_and(|count| answer[..count].starts_with(b"HTTP/1.1 200"))
}

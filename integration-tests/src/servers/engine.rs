use std::env;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const USUAL: &str = "unix:///var/run/docker.sock";
const TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the container engine of this machine if one answers: `DOCKER_HOST`, or the usual socket.
///
/// Only an engine on a unix socket is used. It publishes ports on loopback, which cluster nodes can advertise.
pub(super) fn answering() -> Option<String> {
    let named = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let host = named.unwrap_or_else(|| USUAL.to_owned());
    // Every engine with Docker's interface has `/_ping`.
    is_ok(&host, "/_ping").then_some(host)
}

/// Returns `true` if the engine has this image already.
pub(super) fn has_image(host: &str, name: &str, tag: &str) -> bool {
    is_ok(host, &format!("/images/{name}:{tag}/json"))
}

/// Returns `true` if the engine answers a request with 200.
fn is_ok(host: &str, path: &str) -> bool {
    let ask = || -> Option<bool> {
        let mut stream = UnixStream::connect(host.strip_prefix("unix://")?).ok()?;
        stream.set_read_timeout(Some(TIMEOUT)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = [0; 64];
        let count = stream.read(&mut answer).ok()?;
        Some(answer[..count].starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

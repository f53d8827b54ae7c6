use std::env;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::failure::{Failure, Outcome};

const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// The tests kill, pause and fail servers over: for those, a local `redis-server` must be there.
/// On Debian, root gets it installed.
pub(super) fn need_redis() -> Outcome {
    if env::var_os("TOKEN_CACHE_REDIS_SERVER").is_some() || command::find("redis-server").is_some()
    {
        return Ok(());
    }
    install("redis-server")
}

/// Users sign in and out in a real browser. On Debian, root gets it installed.
pub(super) fn need_chromium() -> Outcome {
    if ["chromium", "chromium-browser"]
        .into_iter()
        .any(|program| command::find(program).is_some())
    {
        return Ok(());
    }
    install("chromium")
}

fn install(package: &str) -> Outcome {
    let is_root = rustix::process::geteuid().is_root();
    if is_root && Path::new("/etc/debian_version").exists() {
        command::run(apt_get().arg("update"))?;
        command::run(apt_get().args(["install", "-y", "--no-install-recommends", package]))?;
        return Ok(());
    }
    Err(Failure::new(format!(
        "no {package} on this machine: sudo apt-get install {package}"
    )))
}

/// The tests refresh at the certified OpenID provider of npm, which runs on Node; their errors name the version that it must have.
pub(super) fn need_node() -> Outcome {
    let missing = ["node", "npm"]
        .into_iter()
        .find(|program| command::find(program).is_none());
    match missing {
        None => Ok(()),
        Some(program) => Err(Failure::new(format!(
            "no {program} on this machine: sudo apt-get install nodejs npm   # Node 20.19 or newer"
        ))),
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-qq").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Finds a container engine that `DOCKER_HOST` names, or that listens on a usual socket.
pub(super) fn container_engine() -> Option<String> {
    if let Some(host) = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        return Some(host);
    }
    let listening = SOCKETS
        .into_iter()
        .find(|socket| UnixStream::connect(socket).is_ok());
    listening.map(|socket| format!("unix://{socket}"))
}

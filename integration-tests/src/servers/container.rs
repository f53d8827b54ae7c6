use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use testcontainers::core::IntoContainerPort;
use testcontainers::runners::SyncRunner;
use testcontainers::{GenericImage, ImageExt};

use super::port::Port;
use super::resp::Client;
use super::{ServerError, cluster, wait};

const IMAGE: &str = "redis";
const TAG: &str = "7.0";
const MASTERS: usize = 3;
/// Half a second is enough if the image is present. The rest is for an engine that has to pull it.
const START_LIMIT: Duration = Duration::from_secs(120);
const READY_LIMIT: Duration = Duration::from_secs(20);
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// Redis servers in one container of a local engine, on loopback ports.
#[derive(Debug)]
pub(super) struct RedisContainer {
    /// Dropping it ends the container.
    running: Option<Sender<()>>,
    runner: Option<JoinHandle<()>>,
    ports: Vec<Port>,
    engine: String,
}

impl RedisContainer {
    /// Starts one server.
    pub(super) fn standalone(engine: &str) -> Result<Self, ServerError> {
        Self::start(engine, 1, "")
    }

    /// Starts a cluster of three masters.
    pub(super) fn cluster(engine: &str) -> Result<Self, ServerError> {
        let options = "--cluster-enabled yes --cluster-node-timeout 2000 \
                       --cluster-announce-ip 127.0.0.1";
        let container = Self::start(engine, MASTERS, options)?;
        cluster::form(&container.addresses())?;
        Ok(container)
    }

    fn start(engine: &str, servers: usize, options: &str) -> Result<Self, ServerError> {
        let ports = (0..servers)
            .map(|_| Port::reserve())
            .collect::<Result<Vec<_>, _>>()?;
        let numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        let (started, answer) = channel();
        let (running, ended) = channel::<()>();
        let script = script(&numbers, options);
        // The runner refuses to block inside an async runtime, also when the container is dropped. A thread of its own avoids that.
        let runner = thread::spawn(move || {
            let image = GenericImage::new(IMAGE, TAG).with_cmd(["sh", "-c", &script]);
            // The ports are chosen here because not every engine reports the ports that it chose in a form that can be parsed.
            let image = numbers.iter().fold(image, |image, port| {
                image.with_mapped_port(*port, port.tcp())
            });
            let container = image.start();
            let outcome = container.as_ref().map(|_| ()).map_err(ToString::to_string);
            // The caller may have given up. The container ends at once then.
            if started.send(outcome).is_ok() {
                // Returns when the other side is dropped.
                let _ = ended.recv();
            }
        });
        let failed = |why: &str| {
            ServerError::new(format!(
                "the container engine at {engine} could not start {IMAGE}:{TAG} ({why}); \
                 docker pull {IMAGE}:{TAG}"
            ))
        };
        match answer.recv_timeout(START_LIMIT) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(failed(&why)),
            Err(RecvTimeoutError::Timeout) => return Err(failed("no answer within 120 s")),
            Err(RecvTimeoutError::Disconnected) => return Err(failed("its client ended")),
        }
        let container = Self {
            running: Some(running),
            runner: Some(runner),
            ports,
            engine: engine.to_owned(),
        };
        for address in container.addresses() {
            wait::until(
                READY_LIMIT,
                "Redis in the container does not answer",
                || {
                    Client::connect(address, CALL_TIMEOUT)
                        .ok()?
                        .call(&["PING"])
                        .ok()
                },
            )?;
        }
        Ok(container)
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.addresses()
            .iter()
            .map(|address| format!("redis://{address}"))
            .collect()
    }

    pub(super) fn describe(&self) -> String {
        let ports: Vec<String> = self
            .ports
            .iter()
            .map(|port| port.number().to_string())
            .collect();
        format!(
            "container {IMAGE}:{TAG} of {} at 127.0.0.1:{}",
            self.engine,
            ports.join(",")
        )
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let address = |port: &Port| SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        self.ports.iter().map(address).collect()
    }
}

impl Drop for RedisContainer {
    fn drop(&mut self) {
        self.running = None;
        if let Some(runner) = self.runner.take() {
            // The container may have failed to be removed. The end of a test is no place to fail.
            let _ = runner.join();
        }
    }
}

/// Returns a script that starts the servers in one shell. The container lives as long as the last of them.
fn script(ports: &[u16], options: &str) -> String {
    let servers: Vec<String> = ports
        .iter()
        .map(|port| {
            format!(
                "redis-server --port {port} --bind 0.0.0.0 --protected-mode no --save '' \
                 --cluster-config-file nodes-{port}.conf {options}"
            )
        })
        .collect();
    format!("cd /tmp; {}", servers.join(" & "))
}

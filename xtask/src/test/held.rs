use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A local Redis, kept by a process of its own until this value is dropped.
#[derive(Debug)]
pub(super) struct HeldRedis {
    holder: Child,
    url: String,
}

impl HeldRedis {
    pub(super) fn start(mut servers: Command) -> Outcome<Self> {
        servers
            .arg("--hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = servers.spawn().map_err(Failure::during("servers --hold"))?;
        let mut line = String::new();
        if let Some(output) = holder.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(Failure::during("servers --hold"))?;
        }
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let redis = Self { holder, url };
        if redis.url.is_empty() {
            Err(Failure::new("servers --hold: no Redis"))
        } else {
            Ok(redis)
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for HeldRedis {
    fn drop(&mut self) {
        // Its end of input tells the holder to stop the server.
        drop(self.holder.stdin.take());
        // It has ended, or never started.
        let _ = self.holder.wait();
    }
}

use token_cache_integration_tests::servers::{RedisServer, Value};

use crate::Result;

/// The traffic of a Redis server since its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    /// Messages that were published, by a client or by a script.
    pub(super) published: u64,
    /// Reads of tokens.
    pub(super) reads: u64,
    /// Bytes from clients and to them.
    pub(super) bytes: u64,
}

impl Traffic {
    pub(super) fn of(redis: &RedisServer) -> Result<Self> {
        let commands = info(redis, "commandstats")?;
        let calls = |command: &str| {
            number_after(&commands, &format!("cmdstat_{command}:calls=")).unwrap_or(0)
        };
        let stats = info(redis, "stats")?;
        let stat = |name: &str| {
            number_after(&stats, &format!("{name}:"))
                .ok_or_else(|| format!("the server counts no {name}"))
        };
        Ok(Self {
            published: calls("publish") + calls("spublish"),
            reads: calls("hmget"),
            bytes: stat("total_net_input_bytes")? + stat("total_net_output_bytes")?,
        })
    }

    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            published: self.published - earlier.published,
            reads: self.reads - earlier.reads,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

fn info(redis: &RedisServer, section: &str) -> Result<String> {
    match redis.cli(&["INFO", section])? {
        Value::Bytes(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
        other => Err(format!("the server answered INFO with {other:?}").into()),
    }
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU32, Ordering},
};

use redis::Cmd;
use token_cache_core::{InvalidationId, Result};

/// A Lua script.
pub(crate) struct Script {
    pub(super) source: &'static str,
    /// The hash for `EVALSHA`.
    name: String,
}

impl Script {
    pub(crate) fn new(source: &'static str) -> Self {
        Self {
            source,
            name: redis::Script::new(source).get_hash().to_owned(),
        }
    }

    fn invocation(&self, keys: &[Vec<u8>]) -> Cmd {
        let bytes: usize = keys.iter().map(Vec::len).sum();
        let mut command = Cmd::with_capacity(keys.len() + 10, bytes + 256);
        command
            .arg("EVALSHA")
            .arg(self.name.as_str())
            .arg(keys.len());
        for key in keys {
            command.arg(key.as_slice());
        }
        command
    }

    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(self.source);
        load
    }
}

/// A request: a command, or the call of a script.
pub(crate) struct Call {
    pub(super) command: Cmd,
    pub(super) script: Option<&'static Script>,
    /// A key in the slot of the request.
    #[cfg_attr(
        not(feature = "cluster"),
        expect(dead_code, reason = "there is one server")
    )]
    pub(super) key: Vec<u8>,
    attempt_ids: Option<AttemptIds>,
}

/// The ids of the attempts of a call.
struct AttemptIds {
    first: [u8; 16],
    count: AtomicU32,
}

impl Call {
    /// Returns a command on a key.
    pub(crate) fn command(name: &str, key: Vec<u8>) -> Self {
        let mut command = Cmd::with_capacity(4, key.len() + 96);
        command.arg(name).arg(key.as_slice());
        Self {
            command,
            script: None,
            key,
            attempt_ids: None,
        }
    }

    /// Returns the call of a script on keys in one slot.
    pub(crate) fn script<const N: usize>(script: &'static Script, keys: [Vec<u8>; N]) -> Self {
        Self::invoke(script, script.invocation(&keys), keys.into_iter().next())
    }

    /// Returns the call of a script on any number of keys in one slot.
    pub(crate) fn script_on(script: &'static Script, keys: Vec<Vec<u8>>) -> Self {
        Self::invoke(script, script.invocation(&keys), keys.into_iter().next())
    }

    fn invoke(script: &'static Script, command: Cmd, key: Option<Vec<u8>>) -> Self {
        Self {
            command,
            script: Some(script),
            key: key.unwrap_or_default(),
            attempt_ids: None,
        }
    }

    /// Has the id of an invalidation message as its last argument, another each time that it is sent.
    pub(crate) fn publishing(mut self) -> Result<Self> {
        self.attempt_ids = Some(AttemptIds {
            first: *InvalidationId::mint()?.as_bytes(),
            count: AtomicU32::new(0),
        });
        Ok(self)
    }

    /// Returns the command for one attempt.
    pub(super) fn to_send(&self) -> Cow<'_, Cmd> {
        let Some(AttemptIds { first, count }) = &self.attempt_ids else {
            return Cow::Borrowed(&self.command);
        };
        let count = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut id = *first;
        for (byte, count) in id.iter_mut().zip(count) {
            *byte ^= count;
        }
        let mut command = self.command.clone();
        command.arg(&id);
        Cow::Owned(command)
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.command.arg(bytes);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.command.arg(number);
        self
    }
}

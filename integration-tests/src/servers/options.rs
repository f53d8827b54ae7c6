use std::fmt;

/// When an append-only file is flushed to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppendFsync {
    /// Before each reply.
    Always,
    /// About once a second.
    EverySecond,
}

/// The configuration of a local Redis. By default nothing is persisted, and there is no password and no memory limit.
#[derive(Clone, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "tests set some fields and use the defaults for the rest"
)]
pub struct RedisOptions {
    /// Writes an append-only file.
    pub appendonly: Option<AppendFsync>,
    /// A snapshot rule, such as `3600 1`.
    pub save: Option<String>,
    /// A limit, such as `64mb`.
    pub maxmemory: Option<String>,
    /// The policy, such as `noeviction`, which is the server's own default.
    pub maxmemory_policy: Option<String>,
    /// Password of the default user.
    pub requirepass: Option<String>,
    /// ACL users, as after `ACL SETUSER`: `app on >password ~tc:* -@all +hmget`.
    pub users: Vec<String>,
    /// Listens on a unix socket as well.
    pub unix_socket: bool,
    /// Listens with TLS as well, under a certificate made for this server.
    pub tls: bool,
    /// Port on 127.0.0.1 of the primary that it follows.
    pub replica_of: Option<u16>,
    /// Further lines of the configuration file: name and value.
    pub extra: Vec<(String, String)>,
}

impl RedisOptions {
    /// Returns the configuration file's lines, except those about ports and files.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("save {}", self.save.as_deref().unwrap_or("\"\""))];
        match self.appendonly {
            None => lines.push("appendonly no".to_owned()),
            Some(fsync) => {
                let fsync = match fsync {
                    AppendFsync::Always => "always",
                    AppendFsync::EverySecond => "everysec",
                };
                lines.push("appendonly yes".to_owned());
                lines.push(format!("appendfsync {fsync}"));
            }
        }
        let optional = [
            ("maxmemory", &self.maxmemory),
            ("maxmemory-policy", &self.maxmemory_policy),
            ("requirepass", &self.requirepass),
            // A replica of a primary with a password has the same password.
            ("masterauth", &self.requirepass),
        ];
        for (name, value) in optional {
            lines.extend(value.as_ref().map(|value| format!("{name} {value}")));
        }
        lines.extend(self.users.iter().map(|user| format!("user {user}")));
        lines.extend(
            self.replica_of
                .map(|port| format!("replicaof 127.0.0.1 {port}")),
        );
        lines.extend(
            self.extra
                .iter()
                .map(|(name, value)| format!("{name} {value}")),
        );
        lines
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("appendonly", &self.appendonly)
            .field("save", &self.save)
            .field("tls", &self.tls)
            .field("replica_of", &self.replica_of)
            .finish_non_exhaustive()
    }
}

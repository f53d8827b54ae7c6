//! What is looked at once, at connect.

use token_cache_core::{Diagnostic, Error, ErrorKind, Result};

use crate::{
    client::{Call, Client, Effect},
    keys::Keys,
    scripts,
};

const OPERATION: &str = "connect";

/// The oldest server that this store speaks to.
const OLDEST: (u32, u32) = (7, 0);

/// What the look came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checked {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The server may drop index entries under memory pressure, so that an empty index proves nothing.
    pub(crate) may_lose_index: bool,
}

/// Refuses a server that can't keep the promises, and notes what weakens them.
pub(crate) async fn check(client: &Client, keys: &Keys) -> Result<Checked> {
    permissions(client, keys).await?;
    let mut checked = match client.ask_any(OPERATION, &["INFO"]).await {
        Ok(answer) => {
            let info = answer.bytes(OPERATION)?.unwrap_or_default();
            weigh(&Info(&String::from_utf8_lossy(&info)), client.replicas())?
        }
        Err(error) if error.kind() == ErrorKind::Denied => Checked {
            diagnostics: vec![Diagnostic::warning(
                "redis_info_denied",
                "the user may not call INFO, so version, role, memory policy and persistence are unchecked, and sign-outs of \
                 a whole issuer fail",
                "ACL SETUSER app +info",
            )],
            may_lose_index: true,
        },
        Err(error) => return Err(error),
    };
    checked.diagnostics.extend(persistence(client).await);
    Ok(checked)
}

/// Runs every command of the scripts on keys of its own.
async fn permissions(client: &Client, keys: &Keys) -> Result<()> {
    let call = Call::script(&scripts::CHECK, keys.scratch());
    let mut denied = Vec::new();
    // The replicas confirm it, or there are too few of them.
    let checked = client
        .confirmed(OPERATION, Effect::Repeatable, call)
        .await?;
    for name in checked.answer.list(OPERATION)? {
        let name = name.bytes(OPERATION)?.unwrap_or_default();
        denied.push(String::from_utf8_lossy(&name).into_owned());
    }
    let read = Call::command("HMGET", keys.namespace()).bytes(b"n");
    match client.call(OPERATION, Effect::Reads, &read).await {
        Err(error) if error.kind() == ErrorKind::Denied => {
            denied.retain(|name| name != "HMGET");
            denied.push("HMGET".to_owned());
        }
        // The key holds a string: the command was run.
        Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
        _ => {}
    }
    if denied.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, OPERATION)
        .store(crate::STORE)
        .message(format!(
            "the user may not call {} on keys with this prefix; see the ACL in the documentation",
            denied.join(", ")
        )))
}

/// `save` is told by `CONFIG` only, which many services deny: then `INFO` has said what it knows.
async fn persistence(client: &Client) -> Option<Diagnostic> {
    let answer = client
        .ask_any(OPERATION, &["CONFIG", "GET", "save"])
        .await
        .ok()?;
    let save = answer
        .list(OPERATION)
        .ok()?
        .nth(1)?
        .bytes(OPERATION)
        .ok()??;
    let info = client
        .ask_any(OPERATION, &["INFO", "persistence"])
        .await
        .ok()?;
    let info = info.bytes(OPERATION).ok()??;
    let info = String::from_utf8_lossy(&info);
    (!save.is_empty() && Info(&info).field("aof_enabled") == Some("0")).then(|| {
        Diagnostic::warning(
            "redis_snapshots_without_log",
            "the server writes snapshots and no append-only file, so a restart brings back sessions that were signed out since \
             the last snapshot",
            "CONFIG SET appendonly yes appendfsync always (or no persistence at all: CONFIG SET save \"\", and delete the dump file)",
        )
    })
}

/// The answer of `INFO`.
struct Info<'a>(&'a str);

impl Info<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (field, value) = line.trim_end().split_once(':')?;
            (field == name).then_some(value)
        })
    }
}

fn weigh(info: &Info<'_>, replicas: Option<u32>) -> Result<Checked> {
    let mut checked = Checked::default();
    version(info)?;
    if info.field("role").is_some_and(|role| role != "master") {
        checked.diagnostics.push(Diagnostic::warning(
            "redis_replica",
            "the server is a replica, so every sign-in and sign-out fails",
            "name its primary in the store's URL",
        ));
    }
    let limited = info.field("maxmemory") != Some("0");
    match info.field("maxmemory_policy") {
        Some("noeviction") => {}
        Some(policy) => {
            checked.may_lose_index = limited;
            let when = if limited {
                "under memory pressure"
            } else {
                "once `maxmemory` is set"
            };
            checked.diagnostics.push(Diagnostic::warning(
                "redis_maxmemory_policy",
                format!(
                    "with the maxmemory-policy `{policy}` the server drops sessions, sign-out markers and index entries {when}, so \
                     users are signed out early, and a sign-out by `sid` alone can find no account"
                ),
                "CONFIG SET maxmemory-policy noeviction",
            ));
        }
        None => {
            checked.may_lose_index = true;
            checked.diagnostics.push(Diagnostic::warning(
                "redis_maxmemory_policy_unknown",
                "the server does not tell its maxmemory-policy, so an empty index proves nothing to a sign-out by `sid` alone",
                "set maxmemory-policy to noeviction",
            ));
        }
    }
    // The server tells how many replicas are good enough only while it asks for some.
    if replicas.is_some() && info.field("min_slaves_good_slaves").is_none() {
        checked.diagnostics.push(Diagnostic::warning(
            "redis_min_replicas_missing",
            "a primary that was cut off from its replicas keeps accepting writes, and they are lost when it is demoted: an older value of \
             an entry can come back",
            "set `min-replicas-to-write 1` and `min-replicas-max-lag` on every server",
        ));
    }
    Ok(checked)
}

fn version(info: &Info<'_>) -> Result<()> {
    let Some(version) = info.field("redis_version") else {
        return Ok(());
    };
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < OLDEST => Err(Error::config(
            OPERATION,
            format!("the server is Redis {version}; it must be 7.0 or newer, or Valkey"),
        )
        .store(crate::STORE)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(lines: &[&str]) -> String {
        lines.join("\r\n")
    }

    #[test]
    fn a_server_as_it_should_be_gives_no_diagnostic() {
        let info = info(&[
            "redis_version:7.0.15",
            "role:master",
            "maxmemory:1000000",
            "maxmemory_policy:noeviction",
        ]);
        let checked = weigh(&Info(&info), None).unwrap();
        assert_eq!(checked.diagnostics, []);
        assert!(!checked.may_lose_index);
    }

    #[test]
    fn an_old_server_is_refused() {
        for (version, refused) in [
            ("6.2.14", true),
            ("7.0.0", false),
            ("7.2.4", false),
            ("8.0", false),
            ("255.255.255", false),
        ] {
            let info = info(&[&format!("redis_version:{version}")]);
            assert_eq!(
                version_error(&info),
                refused.then_some(ErrorKind::Config),
                "{version}"
            );
        }
    }

    fn version_error(info: &str) -> Option<ErrorKind> {
        version(&Info(info)).err().map(|error| error.kind())
    }

    #[test]
    fn a_server_that_may_drop_the_index_is_found_out() {
        for (limit, policy, lost) in [
            ("100", "allkeys-lru", true),
            ("100", "volatile-ttl", true),
            ("0", "allkeys-lru", false),
        ] {
            let info = info(&[
                &format!("maxmemory:{limit}"),
                &format!("maxmemory_policy:{policy}"),
            ]);
            let checked = weigh(&Info(&info), None).unwrap();
            assert_eq!(checked.may_lose_index, lost);
            assert_eq!(checked.diagnostics[0].id, "redis_maxmemory_policy");
        }
        assert!(weigh(&Info(""), None).unwrap().may_lose_index);
    }

    #[test]
    fn a_primary_that_needs_no_replicas_to_write_is_found_out() {
        let id = |lines: &[&str], replicas| {
            let info = info(lines);
            let checked = weigh(&Info(&info), replicas).unwrap();
            checked.diagnostics.first().map(|found| found.id)
        };
        let without = ["maxmemory_policy:noeviction"];
        assert_eq!(id(&without, None), None);
        assert_eq!(id(&without, Some(1)), Some("redis_min_replicas_missing"));
        let with = ["maxmemory_policy:noeviction", "min_slaves_good_slaves:1"];
        assert_eq!(id(&with, Some(1)), None);
    }

    #[test]
    fn a_replica_is_found_out() {
        let info = info(&["role:slave", "maxmemory_policy:noeviction"]);
        let checked = weigh(&Info(&info), None).unwrap();
        assert_eq!(checked.diagnostics[0].id, "redis_replica");
    }
}

//! The checks of `connect`.

use token_cache_core::{Diagnostic, Error, ErrorKind, Result};

use crate::{
    client::{Call, Client, Idempotency, Reply},
    keys::Keys,
    scripts,
};

const OPERATION: &str = "connect";

/// The oldest supported version of Redis.
const MIN_VERSION: (u32, u32) = (7, 0);

/// The result of the checks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preflight {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Whether the server may drop index entries under memory pressure. Then an empty index proves nothing.
    pub(crate) may_lose_index: bool,
}

/// Returns an error if the server cannot keep the guarantees, and diagnostics for settings that weaken them.
pub(crate) async fn check(client: &Client, keys: &Keys) -> Result<Preflight> {
    permissions(client, keys).await?;
    Ok(match client.ask_any(OPERATION, &["INFO"]).await {
        Ok(answer) => {
            let info = answer.bytes(OPERATION)?.unwrap_or_default();
            let info = String::from_utf8_lossy(&info);
            let mut checked = diagnose(&Info(&info), client.replicas())?;
            let found = persistence(client, &Info(&info)).await;
            checked.diagnostics.extend(found);
            checked
        }
        Err(error) if error.kind() == ErrorKind::Denied => Preflight {
            diagnostics: vec![Diagnostic::warning(
                "redis_info_denied",
                "the user may not call INFO, so version, role, memory policy and persistence were not checked, and sign-outs of \
                 a whole issuer fail",
                "ACL SETUSER app +info",
            )],
            may_lose_index: true,
        },
        Err(error) => return Err(error),
    })
}

/// Checks the permissions: runs every command of the scripts on unused keys.
async fn permissions(client: &Client, keys: &Keys) -> Result<()> {
    let call = Call::script(&scripts::CHECK, keys.scratch());
    let mut denied = Vec::new();
    // Also checks that enough replicas confirm a write.
    let checked = client
        .confirmed(OPERATION, Idempotency::Idempotent, call)
        .await?;
    for name in checked.answer.list(OPERATION)? {
        let name = name.bytes(OPERATION)?.unwrap_or_default();
        denied.push(String::from_utf8_lossy(&name).into_owned());
    }
    let read = Call::command("HMGET", keys.namespace()).bytes(b"n");
    match client.call(OPERATION, Idempotency::Read, &read).await {
        Err(error) if error.kind() == ErrorKind::Denied => {
            denied.retain(|name| name != "HMGET");
            denied.push("HMGET".to_owned());
        }
        // The key is a string, so the command was permitted.
        Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
        _ => {}
    }
    if denied.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, OPERATION)
        .store(crate::STORE)
        .message(format!(
            "the user may not call {} on keys with this prefix; add them as in the ACL of the documentation",
            denied.join(", ")
        )))
}

/// Checks for snapshots without an append-only file. `INFO` reports the file. Only `CONFIG` reports snapshots, and many services deny it.
async fn persistence(client: &Client, info: &Info<'_>) -> Option<Diagnostic> {
    let log = info.field("aof_enabled");
    if log == Some("1") {
        return None;
    }
    let save = match client.ask_any(OPERATION, &["CONFIG", "GET", "save"]).await {
        Ok(answer) => setting(answer),
        Err(error) => Err(error.to_string()),
    };
    diagnose_persistence(log, save)
}

/// Returns the value in a reply to `CONFIG GET`.
fn setting(answer: Reply) -> Result<Vec<u8>, String> {
    let value = answer.list(OPERATION).and_then(|mut pair| {
        let value = pair.nth(1);
        value.map(|value| value.bytes(OPERATION)).transpose()
    });
    match value {
        Ok(Some(Some(value))) => Ok(value),
        Ok(_) => Err("the reply to CONFIG GET is empty".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns the diagnostic for the persistence. `log` is `aof_enabled` of `INFO`, and `save` is the setting or why it is unknown.
fn diagnose_persistence(log: Option<&str>, save: Result<Vec<u8>, String>) -> Option<Diagnostic> {
    let why = match (log, save) {
        (Some("1"), _) => return None,
        (_, Ok(save)) if save.is_empty() => return None,
        (Some("0"), Ok(_)) => {
            return Some(Diagnostic::warning(
                "redis_snapshots_without_log",
                "the server writes snapshots and no append-only file, so a restart restores sessions that were signed out since \
                 the last snapshot",
                "CONFIG SET appendonly yes appendfsync always (or no persistence at all: CONFIG SET save \"\", and delete the dump file)",
            ));
        }
        (_, Ok(_)) => "INFO does not contain `aof_enabled`".to_owned(),
        (_, Err(why)) => why,
    };
    Some(Diagnostic::warning(
        "redis_persistence_unchecked",
        format!(
            "it was not checked whether the server writes snapshots without an append-only file, so that a restart restores sessions that \
             were signed out since the last snapshot ({why})"
        ),
        "check on the server that CONFIG GET appendonly says yes or CONFIG GET save says nothing",
    ))
}

/// The reply to `INFO`.
struct Info<'a>(&'a str);

impl Info<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (field, value) = line.trim_end().split_once(':')?;
            (field == name).then_some(value)
        })
    }
}

fn diagnose(info: &Info<'_>, replicas: Option<u32>) -> Result<Preflight> {
    let mut checked = Preflight::default();
    let is_version_known = version(info)?;
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
                    "with the maxmemory-policy `{policy}` the server drops sessions, not-before times and index entries {when}, so \
                     users are signed out early, and a sign-out by `sid` alone can find no account"
                ),
                "CONFIG SET maxmemory-policy noeviction",
            ));
        }
        None => {
            checked.may_lose_index = true;
            checked.diagnostics.push(Diagnostic::warning(
                "redis_maxmemory_policy_unknown",
                "INFO does not contain the maxmemory-policy, so a sign-out by `sid` alone that finds no account is an error",
                "set maxmemory-policy to noeviction",
            ));
        }
    }
    // The server reports good replicas only if `min-replicas-to-write` is set.
    if replicas.is_some() && info.field("min_slaves_good_slaves").is_none() {
        checked.diagnostics.push(Diagnostic::warning(
            "redis_min_replicas_missing",
            "a primary without a connection to its replicas accepts writes that are lost when it is demoted, so an older value of \
             an entry can come back",
            "set `min-replicas-to-write 1` and `min-replicas-max-lag` on every server",
        ));
    }
    for (field, is_known) in [
        ("redis_version", is_version_known),
        ("role", info.field("role").is_some()),
    ] {
        if !is_known {
            checked.diagnostics.push(Diagnostic::warning(
                "redis_info_incomplete",
                format!("INFO does not contain `{field}`, so it was not checked"),
                "check that the server is a primary and Redis 7.0 or newer, or Valkey",
            ));
        }
    }
    Ok(checked)
}

/// Refuses an old server. Returns `false` if the version cannot be read.
fn version(info: &Info<'_>) -> Result<bool> {
    let Some(version) = info.field("redis_version") else {
        return Ok(false);
    };
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < MIN_VERSION => Err(Error::config(
            OPERATION,
            format!("the server is Redis {version}; use Redis 7.0 or newer, or Valkey"),
        )
        .store(crate::STORE)),
        (major, minor) => Ok(major.is_some() && minor.is_some()),
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
        let checked = diagnose(&Info(&info), None).unwrap();
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
            let checked = diagnose(&Info(&info), None).unwrap();
            assert_eq!(checked.may_lose_index, lost);
            assert_eq!(checked.diagnostics[0].id, "redis_maxmemory_policy");
        }
        assert!(diagnose(&Info(""), None).unwrap().may_lose_index);
    }

    #[test]
    fn a_primary_that_needs_no_replicas_to_write_is_found_out() {
        let id = |lines: &[&str], replicas| {
            let info = info(lines);
            let checked = diagnose(&Info(&info), replicas).unwrap();
            checked.diagnostics.first().map(|found| found.id)
        };
        let whole = ["redis_version:7.0.15", "role:master"].join("\r\n");
        let without = [&*whole, "maxmemory_policy:noeviction"];
        assert_eq!(id(&without, None), None);
        assert_eq!(id(&without, Some(1)), Some("redis_min_replicas_missing"));
        let with = [
            &*whole,
            "maxmemory_policy:noeviction",
            "min_slaves_good_slaves:1",
        ];
        assert_eq!(id(&with, Some(1)), None);
    }

    #[test]
    fn what_info_does_not_tell_is_unchecked() {
        let found = |lines: &[&str]| {
            let info = info(lines);
            let checked = diagnose(&Info(&info), None).unwrap();
            let incomplete = checked.diagnostics.into_iter();
            let incomplete = incomplete.filter(|found| found.id == "redis_info_incomplete");
            incomplete.count()
        };
        assert_eq!(found(&["redis_version:7.2.4", "role:master"]), 0);
        assert_eq!(found(&["role:master"]), 1);
        assert_eq!(found(&["redis_version:unstable", "role:master"]), 1);
        assert_eq!(found(&["redis_version:7.2.4"]), 1);
        assert_eq!(found(&[]), 2);
    }

    #[test]
    fn persistence_that_cannot_be_read_is_unchecked_and_never_absent() {
        let id = |log, save: Result<&str, &str>| {
            let save = save.map(Into::into).map_err(ToOwned::to_owned);
            diagnose_persistence(log, save).map(|found| found.id)
        };
        let (snapshots, unchecked) = (
            Some("redis_snapshots_without_log"),
            Some("redis_persistence_unchecked"),
        );
        assert_eq!(id(Some("0"), Ok("3600 1 300 100")), snapshots);
        assert_eq!(id(Some("0"), Ok("")), None);
        assert_eq!(id(Some("1"), Ok("3600 1")), None);
        assert_eq!(id(Some("1"), Err("denied")), None);
        assert_eq!(id(Some("0"), Err("denied")), unchecked);
        assert_eq!(id(None, Ok("3600 1")), unchecked);
        assert_eq!(id(None, Err("denied")), unchecked);
        assert_eq!(id(None, Ok("")), None);
    }

    #[test]
    fn a_replica_is_found_out() {
        let info = info(&["role:slave", "maxmemory_policy:noeviction"]);
        let checked = diagnose(&Info(&info), None).unwrap();
        assert_eq!(checked.diagnostics[0].id, "redis_replica");
    }
}

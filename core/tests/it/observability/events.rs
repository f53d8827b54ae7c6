//! Tests of log events: their names, levels and texts, and that the page lists each of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use token_cache_core::{KeyRing, MemoryStore, Secret, TokenCache, telemetry};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::observability::{listen_on_every_thread, story};

const PAGE: &str = include_str!("../../../../docs/observability.md");

/// The crates that log events.
const CRATES: [&str; 6] = [
    "src",
    "core/src",
    "sign-out/src",
    "providers/src",
    "redis-backend/src",
    "dynamodb-backend/src",
];

/// A log event as a subscriber receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Logged {
    level: Level,
    target: String,
    event: String,
    message: String,
}

/// Collects the log events of a test.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Logged>>>);

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        self.0.lock().unwrap().push(Logged {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            event: fields.remove("event").unwrap_or_default(),
            message: fields.remove("message").unwrap_or_default(),
        });
        assert_eq!(
            fields,
            BTreeMap::new(),
            "other fields than those documented"
        );
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

fn logged_by(work: impl FnOnce()) -> Vec<Logged> {
    let events = Events::default();
    listen_on_every_thread();
    let subscriber = tracing_subscriber::registry().with(events.clone());
    tracing::subscriber::with_default(subscriber, work);
    let logged = events.0.lock().unwrap();
    logged.clone()
}

#[test]
fn an_event_has_a_level_a_target_a_name_and_a_sentence() {
    let logged = logged_by(|| {
        telemetry::warn("something_failed", format_args!("the {} failed", "first"));
        telemetry::info("something_done", format_args!("{} was done", 2));
    });
    let event = |level, event: &str, message: &str| Logged {
        level,
        target: "token_cache".to_owned(),
        event: event.to_owned(),
        message: message.to_owned(),
    };
    assert_eq!(
        logged,
        [
            event(Level::WARN, "something_failed", "the first failed"),
            event(Level::INFO, "something_done", "2 was done"),
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_diagnostic_is_logged_once_when_the_cache_is_opened() {
    use std::os::unix::fs::PermissionsExt;

    const KEY: &str = "yrXc1Yk0Dcu3vhQ2k1nmzEbkMxN7gJ8sJb1dwS0n6kE=";
    let file = std::env::temp_dir().join(format!("logged-ring-{}", std::process::id()));
    fs::write(&file, format!("seal 2026-11 {KEY}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ring = KeyRing::from_file(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logged = logged_by(|| {
        let opening = TokenCache::builder(MemoryStore::new())
            .secret(Secret::random().unwrap())
            .key_ring(ring)
            .open();
        runtime.block_on(opening).unwrap();
    });
    let [logged] = logged.try_into().unwrap();
    assert_eq!((logged.level, &*logged.event), (Level::INFO, "diagnostic"));
    assert!(
        logged.message.starts_with("key_file_readable_by_others: "),
        "{logged:?}"
    );
    assert!(logged.message.contains("defaultMode: 0400"), "{logged:?}");
    assert!(!logged.message.contains(&KEY[..8]), "{logged:?}");
}

/// Returns the events in the page's tables under headings that begin with "Log events", with their levels.
fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let mut listed = BTreeMap::new();
    for section in PAGE
        .split("\n## ")
        .filter(|section| section.starts_with("Log events"))
    {
        for line in section.lines() {
            let Some((event, rest)) = line
                .strip_prefix("| `")
                .and_then(|line| line.split_once("` | "))
            else {
                continue;
            };
            let level = rest.split(" |").next().unwrap().to_lowercase();
            let levels = ["warn", "info"]
                .into_iter()
                .filter(|name| level.contains(name));
            let levels = levels.map(str::to_owned).collect();
            assert_eq!(
                listed.insert(event.to_owned(), levels),
                None,
                "{event} is listed twice"
            );
        }
    }
    listed
}

/// Returns the code of the crates that log, without comments and tests.
fn code() -> String {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for folder in CRATES {
        files(&workspace.join(folder), &mut found);
    }
    let mut code = String::new();
    for file in found {
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.starts_with("//")) {
            code.push_str(line);
        }
    }
    code
}

/// Returns the events of the calls of `function` whose first argument is a string.
fn logged_at(function: &str, code: &str) -> BTreeSet<String> {
    let call = format!("{function}(\"");
    let mut events = BTreeSet::new();
    for (at, _) in code.match_indices(&call) {
        let is_other = code[..at].ends_with(|before: char| {
            // Excludes other functions with this name, such as `Diagnostic::info` and `is_info`. Only calls of `telemetry::info` and of
            // `log::info`, which is the same function, may have a path.
            before.is_alphanumeric() || before == '_'
        }) || (code[..at].ends_with("::")
            && !["telemetry::", "log::"]
                .iter()
                .any(|module| code[..at].ends_with(module)));
        if !is_other {
            let event = code[at + call.len()..].split('"').next().unwrap();
            events.insert(event.to_owned());
        }
    }
    events
}

#[test]
fn the_page_lists_every_log_event_with_its_level_and_no_other() {
    let (listed, code) = (listed(), code());
    let mut logged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for level in ["warn", "info"] {
        for event in logged_at(level, &code) {
            logged.entry(event).or_default().insert(level.to_owned());
        }
    }
    assert!(logged.contains_key("diagnostic"), "{logged:?}");
    for (event, levels) in &logged {
        assert_eq!(listed.get(event), Some(levels), "{event}");
    }
    for event in listed.keys() {
        // A function may pass the name on.
        assert!(
            code.contains(&format!("\"{event}\"")),
            "{event} is never logged"
        );
    }
}

/// Callers in the pause after a failure get the same error, and log nothing.
#[test]
fn a_failed_refresh_is_logged_once_and_nothing_of_the_user() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logged = logged_by(|| runtime.block_on(story::fail_to_refresh(3)));
    let [logged] = logged.try_into().unwrap();
    assert_eq!(
        (logged.level, &*logged.event),
        (Level::WARN, "refresh_failed")
    );
    assert!(logged.message.contains("invalid_client"), "{logged:?}");
    for secret in ["canary", "at-", "rt-"] {
        assert!(!logged.message.contains(secret), "{logged:?}");
    }
}

#[test]
fn a_refresh_token_that_cannot_be_read_is_not_left_unrevoked_in_silence() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logged = logged_by(|| runtime.block_on(story::fail_to_read_what_is_to_be_revoked()));
    let [logged] = logged.try_into().unwrap();
    assert_eq!(
        (logged.level, &*logged.event),
        (Level::WARN, "revocation_failed")
    );
    assert!(!logged.message.contains("canary"), "{logged:?}");
}

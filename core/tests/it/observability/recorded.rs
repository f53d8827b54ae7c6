use std::collections::BTreeSet;

use metrics_util::debugging::DebuggingRecorder;
use token_cache_core::telemetry::{self, METRICS, SPANS};
use tracing_subscriber::layer::SubscriberExt;

use crate::observability::{listen_on_every_thread, near_cache, spans::Spans, story};

/// The name of a metric, a label and its value.
type Label = (String, String, String);

/// Outcomes that the story does not produce.
const OUTSIDE_THE_STORY: [(&str, &str); 8] = [
    ("token_cache_removals_total", "signed_out"),
    ("token_cache_revocations_total", "spared"),
    ("token_cache_revocations_total", "transient"),
    ("token_cache_revocations_total", "invalid_grant"),
    ("token_cache_revocations_total", "interaction_required"),
    ("token_cache_revocations_total", "refused"),
    ("token_cache_revocations_total", "malformed"),
    ("token_cache_open_failures_total", "corrupt"),
];

/// Runs the story, and returns what it recorded: the names of the metrics, their labels, and the spans.
fn recorded() -> (BTreeSet<String>, BTreeSet<Label>, Vec<(String, String)>) {
    let recorder = DebuggingRecorder::new();
    let figures = recorder.snapshotter();
    let spans = Spans::default();
    listen_on_every_thread();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let runtime = |paused| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(paused)
            .build()
            .unwrap()
    };
    metrics::with_local_recorder(&recorder, || {
        telemetry::describe_metrics();
        tracing::subscriber::with_default(subscriber, || {
            runtime(false).block_on(story::tell());
            runtime(true).block_on(near_cache::tell());
        });
    });
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for (key, ..) in figures.snapshot().into_vec() {
        let key = key.key();
        names.insert(key.name().to_owned());
        labels.extend(key.labels().map(|label| {
            let (name, value) = (label.key().to_owned(), label.value().to_owned());
            (key.name().to_owned(), name, value)
        }));
    }
    (names, labels, spans.told())
}

#[test]
fn the_story_records_every_figure_and_every_span_and_no_other() {
    let (names, labels, spans) = recorded();
    let listed: BTreeSet<String> = METRICS
        .iter()
        .map(|metric| metric.name.to_owned())
        .collect();
    assert_eq!(names, listed);
    let spans: BTreeSet<&str> = spans.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(spans, SPANS.iter().copied().collect());
    for (name, label, value) in &labels {
        let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
        let listed = metric.labels.iter().find(|(listed, _)| listed == label);
        let Some((_, values)) = listed else {
            panic!("{name} has the label {label}, which is not listed");
        };
        let known = values.is_empty() || values.contains(&value.as_str());
        assert!(known, "{name}: {label}={value} is not listed");
    }
    let is_unseen = |name: &str, label: &str, value: &str| {
        !labels.contains(&(name.to_owned(), label.to_owned(), value.to_owned()))
    };
    let unseen: Vec<(&str, &str)> = METRICS
        .iter()
        .flat_map(|metric| metric.labels.iter().map(move |label| (metric.name, label)))
        .flat_map(|(name, (label, values))| values.iter().map(move |value| (name, *label, *value)))
        .filter(|(name, label, value)| is_unseen(name, label, value))
        .map(|(name, _, value)| (name, value))
        .collect();
    assert_eq!(unseen, OUTSIDE_THE_STORY);
}

#[test]
fn no_figure_and_no_span_tells_an_id() {
    let (_, labels, spans) = recorded();
    let told = format!("{labels:?} {spans:?}");
    assert!(told.contains("account="), "{told}");
    for canary in ["canary", "rt-", "at-"] {
        assert!(!told.contains(canary), "{canary}: {told}");
    }
}

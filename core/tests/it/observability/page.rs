use std::collections::BTreeSet;

use token_cache_core::telemetry::{METRICS, SPANS};

const PAGE: &str = include_str!("../../../../docs/observability.md");

/// Returns the first cells of the page's table rows that begin with `start`, and the rest of each row.
fn rows(start: &str) -> Vec<(String, String)> {
    PAGE.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` |"))
        .filter(|(name, _)| name.starts_with(start))
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}

fn names(rows: &[(String, String)]) -> BTreeSet<&str> {
    rows.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_page_lists_every_span_and_no_other() {
    assert_eq!(
        names(&rows("token_cache.")),
        SPANS.iter().copied().collect()
    );
}

#[test]
fn the_page_lists_every_metric_and_no_other() {
    let listed = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names(&rows("token_cache_")), listed);
}

#[test]
fn the_page_lists_every_label_and_every_value() {
    let rows = rows("token_cache_");
    for metric in METRICS {
        let (_, row) = rows.iter().find(|(name, _)| name == metric.name).unwrap();
        for (label, values) in metric.labels {
            for word in std::iter::once(label).chain(values.iter()) {
                assert!(
                    row.contains(&format!("`{word}`")),
                    "{}: {word}",
                    metric.name
                );
            }
        }
    }
}

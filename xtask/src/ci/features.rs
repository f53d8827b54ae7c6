use std::fs;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;
use crate::rust_files::rust_files;

/// The crate that an app adds first. What it brings together is combined with it.
const FACADE: &str = "token-cache";

/// The number of features that one `cfg` may name, and so how many are combined.
///
/// If no `cfg` names more than two features, the combinations of up to two compile every piece of code with and without each of its
/// neighbours. A `cfg` inside an item that has a `cfg` too is not added to it. All combinations of the facade alone would be thousands.
const MOST: usize = 2;

/// Compiles every combination of up to [`MOST`] features. A feature only adds, so each combination must compile.
///
/// A store does not depend on the providers or on sign-out, so an app's choice of those counts as one feature beside the
/// stores, and their own crates are combined alone.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    print(&format!("\n» no cfg names more than {MOST} features"));
    let mut findings = Vec::new();
    for package in metadata.published() {
        for file in rust_files(&package.folder().join("src"))? {
            let text = fs::read_to_string(&file).map_err(Failure::during(file.display()))?;
            let file = file
                .strip_prefix(command::root())
                .unwrap_or(&file)
                .display();
            let wide = conditions(&text).filter(|condition| features(condition) > MOST);
            findings.extend(wide.map(|wide| format!("{file}: {wide}")));
        }
    }
    Failure::of_findings("conditions that the combinations do not cover", &findings)?;

    let depth = MOST.to_string();
    let combinations = [
        "hack",
        "check",
        "--feature-powerset",
        "--depth",
        &depth,
        "--exclude-features",
        "default",
    ];
    let mut together = command::cargo(combinations);
    together.args([
        "--package",
        FACADE,
        "--group-features",
        "providers,oauth2-5,openidconnect-4,sign-out,axum-0_8,actix-web-4",
        // These pass through to the stores, which combine them alone.
        "--group-features",
        "redis-1,aws-sdk-dynamodb-1",
    ]);
    command::run(&mut together)?;
    let mut apart = command::cargo(combinations);
    for package in metadata.published().filter(|it| it.name != FACADE) {
        apart.args(["--package", &package.name]);
    }
    command::run(&mut apart)
}

/// Returns what stands between the parentheses of each `cfg(…)`, `cfg_attr(…)` and `cfg!(…)`.
fn conditions(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("cfg");
    starts.filter_map(|(start, _)| {
        let rest = &text[start + "cfg".len()..];
        let rest = rest.strip_prefix("_attr").unwrap_or(rest);
        let rest = rest.strip_prefix('!').unwrap_or(rest);
        let inner = rest.strip_prefix('(')?;
        let mut depth = 1;
        let end = inner.find(|letter| {
            depth += match letter {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        Some(&inner[..end])
    })
}

fn features(condition: &str) -> usize {
    condition.matches("feature = ").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_of_each_condition_are_counted_apart() {
        let text = r#"
            #[cfg(feature = "a")] fn one() {}
            #[cfg_attr(not(all(feature = "a", feature = "b")), allow(unused))] fn two() {}
            let three = cfg!(any(feature = "a", feature = "b", feature = "c"));
            #[cfg(test)] mod tests {}
        "#;
        let counts: Vec<_> = conditions(text).map(features).collect();
        assert_eq!(counts, [1, 2, 3, 0]);
    }
}

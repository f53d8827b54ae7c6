use std::fs;
use std::path::Path;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;

/// The crates of a family that an app can also depend on without the facade.
const PARTS: [&str; 5] = [
    "token-cache-core",
    "token-cache-redis",
    "token-cache-dynamodb",
    "token-cache-providers",
    "token-cache-sign-out",
];

/// The folders of the published sources that `cfg` must stay simple in.
const SOURCES: [&str; 6] = [
    "src",
    "core/src",
    "redis-backend/src",
    "dynamodb-backend/src",
    "providers/src",
    "sign-out/src",
];

/// The number of features that one `cfg` may name, and so how many are combined.
///
/// If no `cfg` depends on more than two features, then every piece of code is compiled with and without each of its neighbours by the
/// combinations of up to two. All combinations of the facade alone would be thousands.
const MOST: usize = 2;

/// Compiles every combination of up to [`MOST`] features. A feature only adds, so each combination must compile.
///
/// A store does not depend on the providers or on sign-out, so an app's choice of those counts as one feature beside the
/// stores, and their own crates are combined alone.
pub(super) fn check() -> Outcome {
    print(&format!("\n» no cfg names more than {MOST} features"));
    let mut findings = Vec::new();
    for folder in SOURCES {
        find_in(&command::root().join(folder), &mut findings)?;
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
        "token-cache",
        "--group-features",
        "providers,oauth2-5,openidconnect-4,sign-out,axum-0_8,actix-web-4",
        // These pass through to the stores, which combine them alone.
        "--group-features",
        "redis-1,aws-sdk-dynamodb-1",
    ]);
    command::run(&mut together)?;
    let mut apart = command::cargo(combinations);
    for package in PARTS {
        apart.args(["--package", package]);
    }
    command::run(&mut apart)
}

fn find_in(folder: &Path, findings: &mut Vec<String>) -> Outcome {
    for entry in fs::read_dir(folder).map_err(Failure::during(folder.display()))? {
        let path = entry.map_err(Failure::during(folder.display()))?.path();
        if path.is_dir() {
            find_in(&path, findings)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(Failure::during(path.display()))?;
            let wide = conditions(&text).filter(|condition| features(condition) > MOST);
            findings.extend(wide.map(|wide| format!("{}: {wide}", path.display())));
        }
    }
    Ok(())
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

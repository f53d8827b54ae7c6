use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;

/// The crates that only a feature may add to an app: each is a client of something that the app may not use.
const BROUGHT_BY_A_FEATURE: [&str; 7] = [
    "aws-sdk-dynamodb",
    "hyper",
    "oauth2",
    "openidconnect",
    "redis",
    "reqwest",
    "rustls",
];

/// The crates that an app can leave out by `default-features = false`.
const OPTIONAL: [&str; 2] = ["metrics", "tracing"];

/// The facade without features brings no client of a store or a provider; without its default features, no `tracing` either.
pub(super) fn check() -> Outcome {
    print("\n» no feature, no client");
    let mut findings = brought(&[], &BROUGHT_BY_A_FEATURE)?;
    let by_default = brought(&["--no-default-features"], &OPTIONAL)?;
    findings.extend(by_default);
    Failure::of_findings("more than an app asked for", &findings)
}

/// Returns those of `crates` that the facade depends on with these features.
fn brought(features: &[&str], crates: &[&str]) -> Outcome<Vec<String>> {
    let tree = "tree --package token-cache --edges normal --prefix none --format {p}";
    let tree = command::cargo(tree.split(' '))
        .args(features)
        .output()
        .map_err(Failure::during(tree))?;
    if !tree.status.success() {
        let said = String::from_utf8_lossy(&tree.stderr);
        return Err(Failure::new(format!("cargo tree: {said}")));
    }
    let tree = String::from_utf8_lossy(&tree.stdout);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let came = names.filter(|name| crates.contains(name));
    Ok(came
        .map(|name| format!("{name} comes without a feature"))
        .collect())
}

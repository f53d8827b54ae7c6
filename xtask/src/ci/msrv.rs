use std::process::Command;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::{Metadata, Package};
use crate::print::print;

/// The published crates compile with the Rust they state. Where that toolchain is not installed,
/// no dependency may state a newer one; `clippy::incompatible_msrv` watches our own code.
///
/// A feature that brings one of our own crates with a newer Rust needs that newer Rust, and is left
/// out here: the crate that it brings is checked itself.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    let mut findings = Vec::new();
    for package in metadata.published() {
        let Some(stated) = package.rust_version.as_deref() else {
            findings.push(format!("{} states no rust-version", package.name));
            continue;
        };
        let newer = newer_crates(stated, package, metadata);
        if is_installed(stated) {
            check_with(stated, package, &newer)?;
        } else {
            print(&format!(
                "\n» MSRV of {}: Rust {stated} is not installed (rustup toolchain install \
                 {stated}); checking what its dependencies state",
                package.name
            ));
            findings.extend(newer_than(stated, package, metadata, &newer));
        }
    }
    Failure::of_findings("not the stated Rust version", &findings)
}

fn is_installed(version: &str) -> bool {
    command::succeeds(Command::new("rustup").args(["run", version, "rustc", "--version"]))
}

/// Our own published crates among its dependencies that state a newer Rust than it does.
fn newer_crates<'a>(stated: &str, package: &Package, metadata: &'a Metadata) -> Vec<&'a Package> {
    let is_dependency = |other: &Package| {
        let mut dependencies = package.dependencies.iter();
        dependencies.any(|one| one.name == other.name && one.kind.is_none())
    };
    let is_newer = |other: &Package| {
        let theirs = other.rust_version.as_deref();
        theirs.is_some_and(|theirs| number(theirs) > number(stated))
    };
    metadata
        .published()
        .filter(|other| is_dependency(other) && is_newer(other))
        .collect()
}

/// The features of a package that bring none of these crates.
fn features_without<'a>(package: &'a Package, crates: &[&Package]) -> Vec<&'a str> {
    let brings = |feature: &str| {
        let mut reached = vec![feature];
        let mut next = 0;
        while let Some(name) = reached.get(next).copied() {
            next += 1;
            for part in package.features.get(name).into_iter().flatten() {
                if !reached.contains(&part.as_str()) {
                    reached.push(part);
                }
            }
        }
        crates.iter().any(|other| {
            let (by_name, part) = (format!("dep:{}", other.name), format!("{}/", other.name));
            reached
                .iter()
                .any(|name| *name == by_name || name.starts_with(&part))
        })
    };
    let features = package.features.keys().map(String::as_str);
    features.filter(|feature| !brings(feature)).collect()
}

fn check_with(version: &str, package: &Package, newer: &[&Package]) -> Outcome {
    let mut check = Command::new("rustup");
    check.args([
        "run",
        version,
        "cargo",
        "check",
        "--lib",
        "--features",
        &features_without(package, newer).join(","),
        "--package",
    ]);
    command::run(check.arg(&package.name).current_dir(command::root()))
}

fn newer_than(
    stated: &str,
    package: &Package,
    metadata: &Metadata,
    newer: &[&Package],
) -> Vec<String> {
    let limit = number(stated);
    metadata
        .compiled_with(package, newer)
        .into_iter()
        .filter_map(|other| {
            let needed = other.rust_version.as_deref()?;
            (number(needed) > limit).then(|| {
                format!(
                    "{} states {stated}, {} {} {needed}",
                    package.name, other.name, other.version
                )
            })
        })
        .collect()
}

/// `1.88` and `1.88.0` are the same.
fn number(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{features_without, newer_crates, newer_than, number};
    use crate::metadata::Metadata;

    #[test]
    fn a_feature_that_brings_a_crate_with_a_newer_rust_is_left_out() {
        let metadata = Metadata::read().unwrap();
        let facade = metadata.published().find(|one| one.name == "token-cache");
        let facade = facade.unwrap();
        let stated = facade.rust_version.as_deref().unwrap();
        let newer = newer_crates(stated, facade, &metadata);
        let names: Vec<_> = newer.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["token-cache-dynamodb"]);
        let features = features_without(facade, &newer);
        assert!(features.contains(&"redis-cluster") && !features.contains(&"dynamodb"));
        assert_eq!(
            newer_than(stated, facade, &metadata, &newer),
            Vec::<String>::new()
        );
        assert!(!newer_than(stated, facade, &metadata, &[]).is_empty());
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(number("1.88"), number("1.88.0"));
        assert!(number("1.100") > number("1.88"));
        assert!(number("1.88.1") > number("1.88"));
    }
}

use std::process::Command;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::{Metadata, Package};
use crate::say::say;

/// The published crates compile with the Rust they state. Where that toolchain is not installed,
/// no dependency may state a newer one; `clippy::incompatible_msrv` watches our own code.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    let mut findings = Vec::new();
    for package in metadata.published() {
        let Some(stated) = package.rust_version.as_deref() else {
            findings.push(format!("{} states no rust-version", package.name));
            continue;
        };
        if is_installed(stated) {
            check_with(stated, package)?;
        } else {
            say(&format!(
                "\n» MSRV of {}: Rust {stated} is not installed (rustup toolchain install \
                 {stated}); checking what its dependencies state",
                package.name
            ));
            findings.extend(newer_than(stated, package, metadata));
        }
    }
    Failure::of_findings("not the stated Rust version", &findings)
}

fn is_installed(version: &str) -> bool {
    command::succeeds(Command::new("rustup").args(["run", version, "rustc", "--version"]))
}

fn check_with(version: &str, package: &Package) -> Outcome {
    let mut check = Command::new("rustup");
    check.args([
        "run",
        version,
        "cargo",
        "check",
        "--lib",
        "--all-features",
        "--package",
    ]);
    command::run(check.arg(&package.name).current_dir(command::root()))
}

fn newer_than(stated: &str, package: &Package, metadata: &Metadata) -> Vec<String> {
    let limit = number(stated);
    metadata
        .compiled_with(package)
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
    use super::number;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(number("1.88"), number("1.88.0"));
        assert!(number("1.100") > number("1.88"));
        assert!(number("1.88.1") > number("1.88"));
    }
}

use std::{fs, process};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

/// A package holds what is in its folder: links there lead to the workspace's own.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// What would be published, all crates together as they depend on each other, has its licences and compiles from its
/// packages alone.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    licences(metadata)?;
    // cargo keeps what it unpacks by the folder's path and the crate's version: in a folder that was used before, it would verify
    // against our crates as they were then.
    let folder = command::target().join(format!("packages-{}", process::id()));
    let mut package = command::cargo(["package", "--allow-dirty", "--quiet", "--target-dir"]);
    package.arg(&folder);
    for published in metadata.published() {
        package.args(["--package", &published.name]);
    }
    let packaged = command::run(&mut package);
    // What can't be removed only takes space.
    let _ = fs::remove_dir_all(folder);
    packaged
}

fn licences(metadata: &Metadata) -> Outcome {
    let mut findings = Vec::new();
    for published in metadata.published() {
        for licence in LICENCES {
            let here = published.folder().join(licence);
            let text = |path| fs::read_to_string(path).ok();
            if text(here.clone()) != text(command::root().join(licence)) {
                findings.push(format!("{} is not that of the workspace", here.display()));
            }
        }
    }
    Failure::of_findings("packages without their licences", &findings)
}

#[cfg(test)]
mod tests {
    use super::licences;
    use crate::metadata::Metadata;

    #[test]
    fn no_crate_is_published_without_its_licences() {
        licences(&Metadata::read().unwrap()).unwrap();
    }
}

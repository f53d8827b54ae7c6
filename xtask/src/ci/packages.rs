use std::{fs, process};

use crate::command;
use crate::failure::Outcome;
use crate::metadata::Metadata;

/// What would be published, all crates together as they depend on each other, compiles from its
/// packages alone.
pub(super) fn check(metadata: &Metadata) -> Outcome {
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

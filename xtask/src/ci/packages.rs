use crate::command;
use crate::failure::Outcome;
use crate::metadata::Metadata;

/// What would be published, all crates together as they depend on each other, compiles from its
/// packages alone.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    let mut package = command::cargo(["package", "--allow-dirty", "--quiet"]);
    for published in metadata.published() {
        package.args(["--package", &published.name]);
    }
    command::run(&mut package)
}

use std::{fs, process};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

/// A package holds what is in its folder: links there lead to the workspace's own.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Checks the packages that would be published, all crates together.
///
/// Each must have its licences and a README without links into the repository, and must compile from the packages alone.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    licences(metadata)?;
    links(metadata)?;
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

/// A README is shown by crates.io and docs.rs too, where a link to a file of the repository leads nowhere.
fn links(metadata: &Metadata) -> Outcome {
    let mut findings = Vec::new();
    for published in metadata.published() {
        let readme = published.folder().join("README.md");
        let text = fs::read_to_string(&readme).map_err(Failure::during(readme.display()))?;
        for link in relative(&text) {
            findings.push(format!("{}: {link}", readme.display()));
        }
    }
    Failure::of_findings(
        "links that lead nowhere outside of the repository",
        &findings,
    )
}

fn relative(text: &str) -> Vec<&str> {
    let inline = text.split("](").skip(1);
    let by_reference = text
        .split("\n[")
        .skip(1)
        .filter_map(|rest| rest.split_once("]: "));
    inline
        .chain(by_reference.map(|(_, link)| link))
        .filter_map(|rest| rest.split([')', '\n']).next())
        .filter(|link| !link.contains("://") && link.contains(['/', '.']))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{licences, links, relative};
    use crate::metadata::Metadata;

    #[test]
    fn no_crate_is_published_without_its_licences() {
        licences(&Metadata::read().unwrap()).unwrap();
    }

    #[test]
    fn no_readme_has_a_link_into_the_repository_alone() {
        links(&Metadata::read().unwrap()).unwrap();
        let text = "[a](docs/a.md) [b](https://b.example/b.md) ![c](c.png) [`d`](Struct::d) [e](#e)\n[f]: f.md\n[g]: #g";
        assert_eq!(relative(text), ["docs/a.md", "c.png", "f.md"]);
    }
}

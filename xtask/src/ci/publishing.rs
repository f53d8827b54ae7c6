use std::fs;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;

const FILE: &str = "CONTRIBUTING.md";
const COMMAND: &str = "cargo publish ";

/// Checks the list of crates to publish in CONTRIBUTING: it has every published crate, each after those that it depends on.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    print(&format!("\n» {FILE} publishes every crate"));
    let text = fs::read_to_string(command::root().join(FILE)).map_err(Failure::during(FILE))?;
    let findings = [
        ("the list", in_list(&text)),
        ("the command", in_command(&text)),
    ]
    .iter()
    .flat_map(|(place, names)| findings(place, names, metadata))
    .collect::<Vec<_>>();
    Failure::of_findings(&format!("the order of publishing in {FILE}"), &findings)
}

/// The numbered lines of names.
fn in_list(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| {
            line.split_once(". `token-cache")
                .is_some_and(|(number, _)| number.parse::<u8>().is_ok())
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

fn in_command(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix(COMMAND))
        .flat_map(str::split_whitespace)
        .filter(|word| *word != "-p")
        .collect()
}

fn findings(place: &str, names: &[&str], metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    let place_of = |name: &str| names.iter().position(|named| *named == name);
    for published in metadata.published() {
        let Some(at) = place_of(&published.name) else {
            findings.push(format!("{place}: {} is missing", published.name));
            continue;
        };
        for dependency in &published.dependencies {
            if dependency.kind.is_none() && place_of(&dependency.name) > Some(at) {
                findings.push(format!(
                    "{place}: {} needs {} before it",
                    published.name, dependency.name
                ));
            }
        }
    }
    for (at, name) in names.iter().enumerate() {
        if place_of(name) != Some(at) || metadata.published().all(|other| other.name != *name) {
            findings.push(format!("{place}: {name} is published twice, or never"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Metadata, check, findings, in_command, in_list};

    #[test]
    fn no_crate_is_left_unpublished() {
        check(&Metadata::read().unwrap()).unwrap();
    }

    #[test]
    fn what_is_missing_too_early_or_not_ours_is_found() {
        let text =
            "1. `token-cache-core`\n2. `token-cache-redis`, `other`\n\ncargo publish -p a -p b\n";
        assert_eq!(
            in_list(text),
            ["token-cache-core", "token-cache-redis", "other"]
        );
        assert_eq!(in_command(text), ["a", "b"]);

        let metadata = Metadata::read().unwrap();
        let mut names: Vec<&str> = metadata
            .published()
            .map(|ours| ours.name.as_str())
            .collect();
        names.sort_by_key(|name| *name == "token-cache-core");
        names.push("other");
        names.retain(|name| *name != "token-cache-sign-out");
        let found = findings("here", &names, &metadata).join("\n");
        for expected in [
            "token-cache-sign-out is missing",
            "token-cache-redis needs token-cache-core before it",
            "other is published twice, or never",
        ] {
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }
}

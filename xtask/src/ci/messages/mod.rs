//! The form of every error message that a published crate constructs.
//!
//! A message says what is wrong in one sentence, in lower case and without a full stop, since it follows "could not …: ". For kinds
//! that the caller can do something about, it says what: after a semicolon, or by `must`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;
use crate::rust_files::rust_files;

mod sites;
mod syntax;

use sites::{Site, Text};

/// Kinds whose message says what to do.
const NEED_A_REMEDY: [&str; 9] = [
    "Config",
    "Denied",
    "Full",
    "InvalidTicket",
    "KeyMissing",
    "Misuse",
    "NotRefreshable",
    "TooLarge",
    "Unsupported",
];

/// Words that are written with a capital letter in the middle of a sentence too.
const NAMES: [&str; 5] = ["Redis", "DynamoDB", "Sentinel", "Valkey", "Retry-After"];

/// Fails with every message that has another form, and with every site whose message is not found.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    print("\n» the form of error messages");
    let mut findings = Vec::new();
    let mut count = 0;
    for package in metadata.published() {
        for site in sites::find(&sources(&package.folder().join("src"))?)? {
            count += 1;
            let file = site
                .file
                .strip_prefix(command::root())
                .unwrap_or(&site.file);
            let place = format!("{}:{}", file.display(), site.line);
            findings.extend(
                faults(&site)
                    .iter()
                    .map(|fault| format!("{place}: {fault}")),
            );
        }
    }
    findings.dedup();
    if count == 0 {
        findings.push("no site was found".to_owned());
    }
    Failure::of_findings("error messages of another form", &findings)
}

fn faults(site: &Site) -> Vec<String> {
    let texts = match &site.text {
        Text::Operation(text) => return fault_of_operation(text).into_iter().collect(),
        Text::Messages(texts) => texts,
        Text::Unknown => {
            return vec!["the message is not a literal that this check can follow".to_owned()];
        }
    };
    let needs_a_remedy = site
        .kind
        .as_deref()
        .is_some_and(|kind| NEED_A_REMEDY.contains(&kind));
    texts
        .iter()
        .flat_map(|text| faults_of_message(text, needs_a_remedy))
        .collect()
}

fn fault_of_operation(text: &str) -> Option<String> {
    let is_infinitive = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_alphanumeric() || c == '`');
    (!is_infinitive)
        .then(|| format!("\"{text}\": an operation is an infinitive, such as \"read an entry\""))
}

fn faults_of_message(text: &str, needs_a_remedy: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let first = text.split([' ', '\'', ',']).next().unwrap_or("");
    let is_name =
        NAMES.contains(&first) || first.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if text.starts_with(char::is_uppercase) && !is_name {
        faults.push("it begins with a capital letter");
    }
    if text.ends_with(['.', '!', ' ', ';', ':', ',']) {
        faults.push("it ends with a punctuation mark or a space");
    }
    if text.contains(['\n', '!']) {
        faults.push("it has a line break or an exclamation mark");
    }
    if text.split_whitespace().count() < 3 {
        faults.push("it has fewer than three words");
    }
    let says_what_to_do = text.contains("; ") || text.contains(" must ") || text.ends_with('?');
    if needs_a_remedy && !says_what_to_do {
        faults.push("it does not say what to do: add \"; \" and an instruction");
    }
    faults
        .into_iter()
        .map(|fault| format!("\"{text}\": {fault}"))
        .collect()
}

/// Reads every Rust file under a folder except tests, in the order of their names.
fn sources(folder: &Path) -> Outcome<Vec<(PathBuf, String)>> {
    let is_test = |path: &PathBuf| {
        path.iter()
            .any(|part| part == "tests" || part == "tests.rs")
    };
    rust_files(folder)?
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let source = fs::read_to_string(&path).map_err(Failure::during(path.display()))?;
            Ok((path, source))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{check, fault_of_operation, faults_of_message};
    use crate::metadata::Metadata;

    #[test]
    fn every_error_message_has_the_form() {
        check(&Metadata::read().unwrap()).unwrap();
    }

    #[test]
    fn a_message_says_what_is_wrong_and_what_to_do() {
        for text in [
            "the subject is empty; pass the `sub` of the ID token",
            "`{port}` is no port; write a number from 1 to 65535",
            "Redis 7.0 is too old; update it",
            "the server answered with another type; is it a Redis?",
        ] {
            assert_eq!(faults_of_message(text, true), [""; 0]);
        }
        for text in [
            "The subject is empty; pass another",
            "the subject is empty; pass another.",
            "the subject is empty",
            "empty; retry",
        ] {
            assert_eq!(faults_of_message(text, true).len(), 1, "{text}");
        }
        assert_eq!(faults_of_message("the subject is empty", false), [""; 0]);
    }

    #[test]
    fn an_operation_is_an_infinitive() {
        assert_eq!(fault_of_operation("read an entry"), None);
        assert!(fault_of_operation("Reading.").is_some());
    }
}

//! The public API of each published crate, recorded in `api/CRATE.txt`, so that every change of it shows in a diff.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;

/// Set for the compiler's documentation tool, in whose place cargo runs this program.
const RUSTDOC: &str = "TOKEN_CACHE_XTASK_RUSTDOC";

/// The crate whose root an app's author reads first, and the most items that it may have there.
const FACADE: &str = "token-cache";
const MOST_AT_ROOT: usize = 40;

/// Compares the public API of each published crate with its record.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Writes the records instead
    #[arg(long)]
    write: bool,
}

/// Compares the records, or writes them.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    check(&Metadata::read()?, arguments.write)
}

/// Fails with the lines that were added and removed, unless it writes them.
pub(crate) fn check(metadata: &Metadata, writes: bool) -> Outcome {
    let crates: Vec<&str> = metadata.published().map(|it| it.name.as_str()).collect();
    document(&crates)?;
    let mut findings = Vec::new();
    for name in &crates {
        let name = *name;
        let current = public_api(name)?;
        let file = format!("api/{name}.txt");
        let path = command::root().join(&file);
        if name == FACADE {
            let items = at_root("token_cache", &current);
            if !(1..=MOST_AT_ROOT).contains(&items) {
                findings.push(format!("{file}: {items} items at the root, of at most {MOST_AT_ROOT}; move some into a module"));
            }
        }
        if writes {
            let folder = command::root().join("api");
            fs::create_dir_all(&folder).map_err(Failure::during("creating the folder `api`"))?;
            fs::write(&path, current).map_err(Failure::during(&file))?;
            continue;
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        findings.extend(differences(&recorded, &current).map(|line| format!("{file}: {line}")));
    }
    let recorded =
        fs::read_dir(command::root().join("api")).map_err(Failure::during("the folder `api`"))?;
    for entry in recorded {
        let file = entry
            .map_err(Failure::during("the folder `api`"))?
            .file_name();
        let name = file.to_string_lossy();
        if !crates.iter().any(|it| name == format!("{it}.txt")) {
            findings.push(format!("api/{name}: no crate of this name is published"));
        }
    }
    let heading = "the public API differs from its record; `cargo xtask api --write` records it";
    Failure::of_findings(heading, &findings)
}

/// Has rustdoc describe the crates as JSON, with every feature.
fn document(crates: &[&str]) -> Outcome {
    let this = env::current_exe().map_err(Failure::during("the path of xtask"))?;
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let mut doc = command::cargo(["doc", "--no-deps", "--lib", "--all-features"]);
    doc.args(crates.iter().flat_map(|name| ["--package", name]))
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json")
        .env("RUSTDOC", this)
        .env(RUSTDOC, rustdoc);
    command::run(&mut doc)
}

/// Runs rustdoc if cargo has started this program in its place, and returns rustdoc's exit code.
///
/// JSON output is unstable, so rustdoc needs `RUSTC_BOOTSTRAP`. The variable is not set for all of cargo: build scripts look at it, and
/// every dependency would be compiled anew.
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    let rustdoc = env::var_os(RUSTDOC)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let status = Command::new(rustdoc)
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1")
        .status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            print(&format!("rustdoc did not start: {error}"));
            ExitCode::FAILURE
        }
    })
}

/// Returns one line per public item, without the implementations that the compiler or a blanket adds.
fn public_api(name: &str) -> Outcome<String> {
    let json: PathBuf = command::target()
        .join("doc")
        .join(format!("{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(Failure::during(json.display()))?;
    let mut lines: Vec<String> = api.items().map(ToString::to_string).collect();
    // The compiler's own marker of `derive(PartialEq)`, which no app can name.
    lines.retain(|line| !line.contains("StructuralPartialEq"));
    // The last line ends as well.
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// Returns how many items the root module has: names, functions and modules.
fn at_root(root: &str, api: &str) -> usize {
    let prefix = format!("{root}::");
    api.lines()
        .filter_map(|line| line.split_once(&prefix))
        .filter(|(before, _)| !before.contains('('))
        .filter(|(_, rest)| {
            let name = rest.split(['(', '<', ' ']).next().unwrap_or(rest);
            !name.contains("::")
        })
        .count()
}

/// Returns the lines that only one of the two has, with `-` or `+` in front.
fn differences<'a>(recorded: &'a str, current: &'a str) -> impl Iterator<Item = String> + 'a {
    let before: HashSet<&str> = recorded.lines().collect();
    let after: HashSet<&str> = current.lines().collect();
    let removed = recorded.lines().filter(move |line| !after.contains(line));
    let added = current.lines().filter(move |line| !before.contains(line));
    removed
        .map(|line| format!("- {line}"))
        .chain(added.map(|line| format!("+ {line}")))
}

#[cfg(test)]
mod tests {
    use super::{at_root, differences};

    #[test]
    fn a_changed_line_is_removed_and_added() {
        let found: Vec<String> = differences("a\nb(u8)\n", "a\nb(u16)\nc\n").collect();
        assert_eq!(found, ["- b(u8)", "+ b(u16)", "+ c"]);
        assert_eq!(differences("a\n", "a\n").count(), 0);
    }
    #[test]
    fn the_items_of_the_root_are_counted_without_those_of_modules() {
        let api = "pub mod token_cache\n\
                   pub use token_cache::Session\n\
                   pub mod token_cache::store\n\
                   pub use token_cache::store::TokenStore\n\
                   pub async fn token_cache::open(&str) -> token_cache::Result<u8>\n";
        assert_eq!(at_root("token_cache", api), 3);
    }
}

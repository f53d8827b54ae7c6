//! Counts what makes prose hard to read: forbidden phrases, long sentences, and doc comments that open with a relative clause.

use std::{collections::BTreeMap, fs, path::Path};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;

mod markdown;
mod phrases;
mod rust;
mod sample;
mod sentence;

use rust::Kind;
use sentence::Sentence;

/// The most words that a sentence should have.
const LONGEST: usize = 30;

/// The recorded number of sentences with more than [`LONGEST`] words. It may only fall.
const LONG_SENTENCES: usize = 84;

/// The recorded number of doc comments that open with "what", "who", "whether", "where", "none" or "true". It may only fall.
const RELATIVE_OPENINGS: usize = 41;

/// Strings in this folder quote forbidden phrases.
const QUOTES: &str = "xtask/src/prose/";

/// The language check of doc comments, comments, messages and Markdown pages.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Reads only the files under these paths
    paths: Vec<String>,
    /// Prints long sentences and relative openings as well
    #[arg(long)]
    all: bool,
    /// Prints this many doc comments of public items, drawn at random
    #[arg(long, value_name = "N", conflicts_with_all = ["paths", "all"])]
    sample: Option<usize>,
    /// Draws the same sample for the same seed
    #[arg(long, default_value_t = 1, requires = "sample")]
    seed: u64,
}

/// The findings in a crate, or in a group of pages.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    forbidden: usize,
    long: usize,
    openings: usize,
    sentences: usize,
}

/// Runs the check, or draws a sample.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if let Some(size) = arguments.sample {
        return sample::draw(&Metadata::read()?, size, arguments.seed);
    }
    let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
    for path in files(&arguments.paths)? {
        let text =
            fs::read_to_string(command::root().join(&path)).map_err(Failure::during(&path))?;
        let counts = groups.entry(group(&path)).or_default();
        for sentence in sentences(&path, &text) {
            count(&path, &sentence, arguments.all, counts);
        }
    }
    let total = groups
        .values()
        .fold(Counts::default(), |sum, counts| Counts {
            forbidden: sum.forbidden + counts.forbidden,
            long: sum.long + counts.long,
            openings: sum.openings + counts.openings,
            sentences: sum.sentences + counts.sentences,
        });
    print("\nforbidden  long  openings  sentences");
    for (group, counts) in groups.iter().chain([(&"total".to_owned(), &total)]) {
        print(&format!(
            "{:9} {:5} {:9} {:10}  {group}",
            counts.forbidden, counts.long, counts.openings, counts.sentences
        ));
    }
    verdict(total, arguments.paths.is_empty())
}

fn verdict(total: Counts, is_whole: bool) -> Outcome {
    let mut findings = Vec::new();
    if total.sentences == 0 {
        findings.push("no sentence was read: is the path right?".to_owned());
    }
    if total.forbidden > 0 {
        findings.push(format!(
            "{} forbidden phrases: use the replacements printed above",
            total.forbidden
        ));
    }
    let ratchets = [
        ("sentences over 30 words", total.long, LONG_SENTENCES),
        ("relative openings", total.openings, RELATIVE_OPENINGS),
    ];
    for (what, found, recorded) in ratchets {
        if found > recorded {
            findings.push(format!(
                "{found} {what}, and {recorded} are recorded: `cargo xtask prose --all` prints them"
            ));
        } else if is_whole && found < recorded {
            print(&format!(
                "{found} {what}: lower the record of {recorded} in xtask/src/prose/mod.rs"
            ));
        }
    }
    Failure::of_findings("prose", &findings)
}

/// Every tracked or new Rust, Markdown and TOML file under `paths`, relative to the workspace.
fn files(paths: &[String]) -> Outcome<Vec<String>> {
    let listing = std::process::Command::new("git")
        .current_dir(command::root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .args(["--", "*.rs", "*.md", "*.toml"])
        .output()
        .map_err(Failure::during("git ls-files"))?;
    if !listing.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&listing.stderr)));
    }
    let exists = |path: &&str| command::root().join(path).is_file();
    let is_wanted =
        |path: &&str| paths.is_empty() || paths.iter().any(|of| Path::new(path).starts_with(of));
    Ok(String::from_utf8_lossy(&listing.stdout)
        .lines()
        .filter(exists)
        .filter(is_wanted)
        .map(str::to_owned)
        .collect())
}

fn sentences(path: &str, text: &str) -> Vec<Sentence> {
    match Path::new(path).extension().and_then(|it| it.to_str()) {
        Some("rs") => {
            let mut passages = rust::passages(text);
            if path.starts_with(QUOTES) {
                passages.retain(|passage| passage.kind != Kind::Literal);
            }
            passages.iter().flat_map(markdown::sentences).collect()
        }
        Some("toml") => rust::toml_comments(text)
            .iter()
            .flat_map(markdown::sentences)
            .collect(),
        _ => markdown::sentences(&rust::page(unreleased(path, text))),
    }
}

/// A page whole, except that of the changelog only the unreleased part is read.
fn unreleased<'a>(path: &str, text: &'a str) -> &'a str {
    if path != "CHANGELOG.md" {
        return text;
    }
    let mut headings = text.match_indices("\n## ");
    headings.next();
    headings.next().map_or(text, |(at, _)| &text[..at])
}

fn count(path: &str, sentence: &Sentence, prints_all: bool, counts: &mut Counts) {
    counts.sentences += 1;
    for found in phrases::find(sentence) {
        counts.forbidden += 1;
        print(&format!(
            "{path}:{}: \"{}\": {}",
            found.line, found.phrase, found.instead
        ));
    }
    let words = sentence.word_count();
    if words > LONGEST {
        counts.long += 1;
        if prints_all {
            print(&format!(
                "{path}:{}: {words} words: {}",
                sentence.line(),
                sentence.beginning()
            ));
        }
    }
    if phrases::opens_with_a_relative_clause(sentence) {
        counts.openings += 1;
        if prints_all {
            print(&format!(
                "{path}:{}: says what the item is or returns: {}",
                sentence.line(),
                sentence.beginning()
            ));
        }
    }
}

/// The folder of a crate, `examples/NAME`, or `pages` for those at the root and in `docs`.
fn group(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["examples", name, ..] => format!("examples/{name}"),
        ["src", ..] => "facade".to_owned(),
        ["docs", ..] | [_] | [] => "pages".to_owned(),
        [folder, ..] => folder.to_owned(),
    }
}

use std::fs;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;
use crate::rust_files::rust_files;

/// The crates whose items an app sees under the facade. The crate docs of all but core are README files, which it sees as well.
const UNDER_THE_FACADE: [&str; 6] = [
    "core",
    "redis-backend",
    "dynamodb-backend",
    "near-cache",
    "providers",
    "sign-out",
];

/// Crates that an app does not depend on if it depends on the facade.
const NOT_A_DEPENDENCY: [&str; 6] = [
    "token_cache_core::",
    "token_cache_redis::",
    "token_cache_dynamodb::",
    "token_cache_near_cache::",
    "token_cache_providers::",
    "token_cache_sign_out::",
];

/// Checks that the examples in doc comments compile in an app that depends on the facade.
pub(super) fn check() -> Outcome {
    print("\n» examples import what an app depends on");
    let (mut findings, mut examples) = (Vec::new(), 0);
    for folder in UNDER_THE_FACADE {
        let is_core = folder == "core";
        let folder = command::root().join(folder);
        let mut files = rust_files(&folder.join("src"))?;
        if !is_core {
            files.push(folder.join("README.md"));
        }
        for file in files {
            let text = fs::read_to_string(&file).map_err(Failure::during(file.display()))?;
            for (line, code) in code_of_examples(&text) {
                examples += 1;
                if NOT_A_DEPENDENCY.iter().any(|name| code.contains(name)) {
                    findings.push(format!("{}:{line}: {code}", file.display()));
                }
            }
        }
    }
    if examples == 0 {
        findings.push("no example was found; the check looks in the wrong folders".to_owned());
    }
    Failure::of_findings("examples that an app cannot compile", &findings)
}

/// Returns the lines of the examples in doc comments, or in Markdown, with their numbers.
fn code_of_examples(text: &str) -> Vec<(usize, &str)> {
    let is_markdown = !text.lines().any(|line| line.trim_start().starts_with("//"));
    let (mut lines, mut is_code) = (Vec::new(), false);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let doc = ["///", "//!"]
            .iter()
            .find_map(|slashes| line.strip_prefix(slashes));
        let Some(doc) = doc.or(is_markdown.then_some(line)) else {
            is_code = false;
            continue;
        };
        let doc = doc.trim_start();
        if doc.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            lines.push((number, doc));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_example_imports_a_crate_that_an_app_lacks() {
        check().unwrap();
    }

    #[test]
    fn the_lines_between_fences_are_examples() {
        let rust =
            "/// Text.\n/// ```\n/// use a::B;\n/// ```\n/// [`C`](a::C)\nfn f() {}\n/// text\n";
        assert_eq!(code_of_examples(rust), [(3, "use a::B;")]);
        let markdown = "# A\n```no_run\nuse a::B;\n```\nText.\n";
        assert_eq!(code_of_examples(markdown), [(3, "use a::B;")]);
    }
}

//! Checks that the code in the tutorial is the code that compiles.
#![allow(clippy::panic, reason = "a test fails by panicking")]

const PAGE: &str = include_str!("../../../docs/sign-out/tutorial.md");
const APP: &str = include_str!("../src/main.rs");

/// Returns the code without line breaks.
fn code(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_snippet_is_in_the_app() {
    let app = code(APP);
    let mut snippets = 0;
    for block in PAGE.split("```rust\n").skip(1) {
        let snippet = block.split("```").next().unwrap_or_default();
        assert!(app.contains(&code(snippet)), "not in the app:\n{snippet}");
        snippets += 1;
    }
    assert!(snippets >= 6, "the page has {snippets} snippets");
}

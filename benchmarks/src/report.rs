#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it measured is what this program is for"
)]

use std::{fs, path::Path};

use crate::{
    Result,
    figure::{Better, Figure},
};

/// Says what is being measured: a run takes minutes.
pub(crate) fn progress(what: &str) {
    eprintln!("measuring {what}");
}

/// Says on what it is being measured.
pub(crate) fn machine(server: &str) {
    eprintln!("on {server}");
}

pub(crate) fn failure(error: &(dyn std::error::Error + 'static)) {
    eprintln!("the benchmark failed: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
}

/// Prints the figures as a Markdown table.
pub(crate) fn table(figures: &[Figure]) {
    println!("| figure | min | median | max | goal | holds | the median round | others |");
    println!("|---|---|---|---|---|---|---|---|");
    for figure in figures {
        let sign = match figure.better {
            Better::Higher => '≥',
            Better::Lower => '≤',
        };
        let others = figure
            .others
            .map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
        println!(
            "| `{}` | {:.2} | **{:.2}** | {:.2} | {sign} {} | {} | {} | {others} |",
            figure.name,
            figure.ratio.min,
            figure.ratio.median,
            figure.ratio.max,
            figure.goal,
            if figure.holds { "yes" } else { "no" },
            figure.detail,
        );
    }
}

/// Prints rows under a heading as a Markdown table, with a line about them.
pub(crate) fn rows(about: &str, heading: &[&str], rows: &[String]) {
    println!("{about}\n");
    println!("| {} |", heading.join(" | "));
    println!("|{}", "---|".repeat(heading.len()));
    for row in rows {
        println!("{row}");
    }
    println!();
}

/// Writes the figures as a list of name, ratio, goal, holds.
pub(crate) fn json(figures: &[Figure], file: &Path) -> Result<()> {
    fs::write(file, serde_json::to_string_pretty(figures)? + "\n")?;
    Ok(())
}

use std::io::{self, Write};

/// One line to stderr, where cargo and the test runners write as well.
pub(crate) fn print(line: &str) {
    // Without a stderr the exit code has to do.
    let _ = writeln!(io::stderr(), "{line}");
}

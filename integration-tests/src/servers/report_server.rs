use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Prints once per process which server the tests of this `kind` run on.
pub(super) fn report_server(kind: &'static str, which: &str) {
    let first = SAID
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(kind);
    if first {
        // A closed stderr must not fail a test.
        let _ = writeln!(io::stderr(), "{kind}: {which}");
    }
}

use std::fs;
use std::process::Stdio;

use crate::command;
use crate::failure::{Failure, Outcome};

/// The compiler options that libFuzzer needs: code that counts the branches taken. A stable compiler has them.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

// Only the host is named as a target so that build scripts are spared the instrumentation.

/// How long each target runs, in seconds: enough to find what breaks at once.
const SECONDS: u32 = 5;

/// Checks that the lock file of the fuzz targets, a workspace of its own, has the dependencies of the crates as they are now.
pub(super) fn check_lock() -> Outcome {
    let metadata = ["metadata", "--locked", "--format-version", "1"];
    let mut metadata = command::cargo(metadata);
    metadata.args(["--manifest-path", "fuzz/Cargo.toml"]);
    command::run(metadata.stdout(Stdio::null())).map_err(|failure| {
        Failure::new(format!(
            "{failure}; run `cargo update --workspace --manifest-path fuzz/Cargo.toml`"
        ))
    })
}

/// Fuzzes every parser of foreign input for a few seconds. For longer runs: `cargo fuzz run TARGET`, of the crate cargo-fuzz.
pub(super) fn check() -> Outcome {
    let folder = command::root().join("fuzz/fuzz_targets");
    let during = || Failure::during("the folder of fuzz targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).map_err(during())? {
        let path = entry.map_err(during())?.path();
        targets.extend(path.file_stem().map(|name| name.display().to_string()));
    }
    targets.sort();
    if targets.is_empty() {
        return Err(Failure::new("there are no fuzz targets".to_owned()));
    }
    for target in targets {
        let run = [
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--target",
            "host-tuple",
            "--all-features",
            "--bin",
            &target,
            "--",
            &format!("-max_total_time={SECONDS}"),
            "-max_len=4096",
            "-verbosity=0",
        ];
        let found = command::target().join("fuzz/found-");
        command::run(
            command::cargo(run)
                .arg(format!("-artifact_prefix={}{target}-", found.display()))
                .env("RUSTFLAGS", INSTRUMENTATION)
                .env("CARGO_TARGET_DIR", command::target().join("fuzz")),
        )?;
    }
    Ok(())
}

//! The checker's own test: the same harness on a plain cache, without any fault, finds what everybody's cache gets wrong.

use std::time::Duration;

use token_cache_integration_tests::{
    history::Promise,
    torture::{self, Options, Topology},
};

use crate::common::program;

#[test]
fn the_checker_finds_hundreds_of_violations_in_a_plain_cache() {
    let redis = crate::common::redis();
    let options = Options {
        time: Duration::from_secs(3),
        url: Some(redis.url()),
        topology: Topology::Standalone,
        plain: true,
        processes: 3,
        seed: 7,
        program: program(),
        logs: None,
    };
    let report = torture::run(&options).unwrap().report;
    assert!(report.broken(Promise::G2) >= 100, "{report}");
}

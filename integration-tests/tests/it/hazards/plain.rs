//! A test of the checker: the same harness, on the usual designs and without faults, finds their defects.

use std::time::Duration;

use token_cache_integration_tests::{
    fleet::Design,
    history::{Promise, Report},
    servers::{OwnStore, StoreKind},
    torture::{self, Options, Topology},
};

use crate::hazards::common::program;

fn seen(design: Design, kind: StoreKind, time: Duration) -> Report {
    let store = OwnStore::start(kind).unwrap();
    let options = Options {
        time,
        url: Some(store.url("")),
        topology: Topology::Standalone,
        design,
        near_cache: false,
        processes: 3,
        seed: 7,
        program: program(),
        logs: None,
    };
    torture::run(&options).unwrap().report
}

/// The engine is slower than Redis. The run takes a few seconds more, and finds dozens of violations instead of hundreds.
fn on_dynamodb(design: Design) -> Report {
    seen(design, StoreKind::DynamoDb, Duration::from_secs(6))
}

#[test]
fn the_checker_finds_hundreds_of_violations_in_a_plain_cache() {
    let report = seen(Design::Plain, StoreKind::Redis, Duration::from_secs(3));
    assert!(report.broken(Promise::G2) >= 100, "{report}");
}

#[test]
fn the_checker_finds_violations_where_a_sign_out_deletes_by_query() {
    let report = on_dynamodb(Design::DeleteByQuery);
    assert!(report.broken(Promise::G2) > 0, "{report}");
}

#[test]
fn the_checker_finds_violations_where_a_write_is_stamped_with_the_counter_of_the_day() {
    let report = on_dynamodb(Design::LateCounter);
    assert!(report.broken(Promise::G2) > 0, "{report}");
}

#[test]
fn the_checker_finds_violations_where_a_head_is_deleted_and_made_anew() {
    let report = on_dynamodb(Design::RecreatedHead);
    assert!(!report.violations.is_empty(), "{report}");
}

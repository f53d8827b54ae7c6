//! What a server may serve of its copies, and what a sign-out waits for: the rules, each by itself and over any history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{cell::Cell, collections::HashMap, time::Duration};

use proptest::prelude::*;
use token_cache_core::{
    AccountKey, Acknowledgement, Announced, AnnouncementId, Invalidation, IssuerKey, LeaseHolder,
    RegistryId, ServerId,
    local::{BootInstant, Clearance, ConnectionNumber, Holder, Stamp},
};

const LEASE: Duration = Duration::from_secs(1);
/// What another server's clock may take for a lease: a fiftieth more, and five milliseconds.
const WAIT: Duration = Duration::from_millis(1_025);
const REGISTRY: RegistryId = RegistryId::from_bytes([1; 16]);
const OTHER_REGISTRY: RegistryId = RegistryId::from_bytes([2; 16]);
const ANNOUNCEMENT: AnnouncementId = AnnouncementId::from_bytes([3; 16]);

fn at(millis: u64) -> BootInstant {
    BootInstant::default() + Duration::from_millis(millis)
}

fn account(number: u16) -> AccountKey {
    let mut subject = [0; 16];
    subject[..2].copy_from_slice(&number.to_be_bytes());
    AccountKey::new(IssuerKey::from_bytes([9; 16]), subject)
}

fn of(number: u16) -> Invalidation {
    Invalidation::Accounts(vec![account(number)])
}

fn server(number: u8) -> ServerId {
    ServerId::from_bytes([number; 16])
}

fn connect(holder: &Holder) -> ConnectionNumber {
    let number = holder.connecting();
    holder.connected(number);
    number
}

/// One whose lease began with a renewal sent then.
fn leased(sent: u64) -> (Holder, ConnectionNumber) {
    let holder = Holder::new();
    let number = connect(&holder);
    holder.renewed(number, REGISTRY, LEASE, at(sent), at(sent));
    (holder, number)
}

#[test]
fn nothing_is_served_without_a_lease() {
    let holder = Holder::new();
    let stamp = holder.stamp(&account(1));
    assert!(!holder.may_serve(&account(1), stamp, || at(0)));
    assert_eq!(holder.lease_until(), None);
    connect(&holder);
    let stamp = holder.stamp(&account(1));
    assert!(!holder.may_serve(&account(1), stamp, || at(0)));
}

#[test]
fn a_lease_runs_from_the_moment_its_renewal_was_sent() {
    let holder = Holder::new();
    let number = connect(&holder);
    holder.renewed(number, REGISTRY, LEASE, at(100), at(900));
    let stamp = holder.stamp(&account(1));
    assert!(holder.may_serve(&account(1), stamp, || at(1_099)));
    assert!(!holder.may_serve(&account(1), stamp, || at(1_100)));
    assert_eq!(holder.lease_until(), Some(at(1_100)));
}

#[test]
fn an_earlier_renewal_that_is_answered_late_takes_nothing_away() {
    let (holder, number) = leased(500);
    holder.renewed(number, REGISTRY, LEASE, at(100), at(600));
    assert_eq!(holder.lease_until(), Some(at(1_500)));
}

#[test]
fn the_clock_is_asked_after_everything_else() {
    let (holder, _) = leased(0);
    let stamp = holder.stamp(&account(1));
    let asked = Cell::new(0);
    let clock = || {
        asked.set(asked.get() + 1);
        at(1)
    };
    assert!(holder.may_serve(&account(1), stamp, clock));
    holder.invalidate(&of(1));
    assert!(!holder.may_serve(&account(1), stamp, clock));
    assert_eq!(asked.get(), 1, "a dead copy needs no look at the clock");
}

#[test]
fn an_announcement_kills_what_was_stamped_before_it_and_nothing_else() {
    let (holder, _) = leased(0);
    let (first, second) = (holder.stamp(&account(1)), holder.stamp(&account(2)));
    holder.invalidate(&of(1));
    assert!(!holder.may_serve(&account(1), first, || at(1)));
    assert!(holder.may_serve(&account(2), second, || at(1)));
    let again = holder.stamp(&account(1));
    assert!(holder.may_serve(&account(1), again, || at(1)));
    holder.invalidate(&Invalidation::Everything);
    assert!(!holder.may_serve(&account(1), again, || at(1)));
    assert!(!holder.may_serve(&account(2), second, || at(1)));
}

#[test]
fn a_lease_ends_with_a_new_link() {
    let (holder, _) = leased(0);
    let stamp = holder.stamp(&account(1));
    let number = holder.connecting();
    assert_eq!(holder.lease_until(), None);
    assert!(!holder.may_serve(&account(1), stamp, || at(1)));
    holder.connected(number);
    holder.renewed(number, REGISTRY, LEASE, at(1), at(1));
    assert!(
        !holder.may_serve(&account(1), stamp, || at(2)),
        "what was read on the connection before may have been announced meanwhile"
    );
}

#[test]
fn what_an_earlier_connection_brings_does_not_count() {
    let (holder, before) = leased(0);
    let now = holder.connecting();
    holder.renewed(before, REGISTRY, LEASE, at(1), at(1));
    holder.saw(before, REGISTRY, at(1));
    assert_eq!(holder.lease_until(), None);
    assert_eq!(holder.knows(LEASE, at(10_000)), None);
    let stamp = holder.stamp(&account(1));
    holder.connected(before);
    assert_eq!(holder.stamp(&account(1)), stamp);
    holder.connected(now);
    assert_ne!(holder.stamp(&account(1)), stamp);
}

#[test]
fn a_registry_is_known_after_the_longest_lease_on_one_connection() {
    let (holder, number) = leased(0);
    let wait = u64::try_from(WAIT.as_millis()).unwrap();
    assert_eq!(holder.knows(LEASE, at(wait - 1)), None);
    assert_eq!(holder.knows(LEASE, at(wait)), Some(REGISTRY));
    assert_eq!(holder.knows(LEASE * 2, at(wait)), None);
    holder.renewed(number, REGISTRY, LEASE, at(wait), at(wait));
    assert_eq!(holder.knows(LEASE, at(wait)), Some(REGISTRY));
    holder.connecting();
    assert_eq!(holder.knows(LEASE, at(wait)), None);
}

#[test]
fn another_registry_is_a_young_one_and_kills_all_copies() {
    let (holder, number) = leased(0);
    let stamp = holder.stamp(&account(1));
    holder.renewed(number, OTHER_REGISTRY, LEASE, at(2_000), at(2_001));
    assert!(!holder.may_serve(&account(1), stamp, || at(2_002)));
    assert_eq!(holder.knows(LEASE, at(3_025)), None);
    assert_eq!(holder.knows(LEASE, at(3_026)), Some(OTHER_REGISTRY));
}

#[test]
fn a_server_without_a_link_needs_no_lease() {
    let holder = Holder::without_link();
    let stamp = holder.stamp(&account(1));
    assert!(holder.may_serve(&account(1), stamp, || at(u64::from(u32::MAX))));
    holder.invalidate(&of(1));
    assert!(!holder.may_serve(&account(1), stamp, || at(0)));
}

#[test]
fn who_resigns_serves_nothing() {
    let (holder, _) = leased(0);
    let stamp = holder.stamp(&account(1));
    holder.resign();
    assert!(!holder.may_serve(&account(1), stamp, || at(1)));
}

fn announced(registry: Option<RegistryId>, holders: &[u8]) -> Announced {
    let holder = |number: &u8| LeaseHolder {
        server: server(*number),
        renewal: 7,
    };
    Announced {
        id: ANNOUNCEMENT,
        registry,
        holders: holders.iter().map(holder).collect(),
    }
}

fn ack(number: u8, knows: Option<RegistryId>) -> Acknowledgement {
    Acknowledgement {
        announcement: ANNOUNCEMENT,
        server: server(number),
        knows,
    }
}

fn clearance(announced: Announced, knows: Option<RegistryId>) -> Clearance {
    Clearance::new(announced, server(0), knows, LEASE, at(0))
}

#[test]
fn who_signs_out_does_not_wait_for_itself() {
    let clearance = clearance(announced(Some(REGISTRY), &[0]), Some(REGISTRY));
    assert!(clearance.is_over(at(0)));
}

#[test]
fn every_other_holder_is_waited_for() {
    let mut clearance = clearance(announced(Some(REGISTRY), &[0, 1, 2]), Some(REGISTRY));
    clearance.acknowledged(&ack(1, None));
    clearance.acknowledged(&ack(1, None));
    assert!(!clearance.is_over(at(0)));
    assert_eq!(clearance.silent().len(), 1);
    clearance.acknowledged(&ack(2, None));
    assert!(clearance.is_over(at(0)));
}

#[test]
fn a_lease_with_its_drift_is_the_bound() {
    let clearance = clearance(announced(Some(REGISTRY), &[1]), Some(REGISTRY));
    let wait = u64::try_from(WAIT.as_millis()).unwrap();
    assert!(!clearance.is_over(at(wait - 1)));
    assert!(clearance.is_over(at(wait)));
    assert_eq!(clearance.over_at(), at(wait));
    assert_eq!(clearance.silent()[0].server, server(1));
}

#[test]
fn a_young_registry_is_waited_out_though_all_in_it_answered() {
    for (registry, knows) in [
        (Some(REGISTRY), None),
        (Some(REGISTRY), Some(OTHER_REGISTRY)),
        (None, Some(REGISTRY)),
        (None, None),
    ] {
        let mut clearance = clearance(announced(registry, &[1]), knows);
        clearance.acknowledged(&ack(1, None));
        assert!(!clearance.is_whole());
        assert!(!clearance.is_over(at(1_024)));
        assert!(clearance.is_over(at(1_025)));
    }
}

#[test]
fn one_that_has_known_the_registry_for_long_vouches_for_it() {
    let mut clearance = clearance(announced(Some(REGISTRY), &[1, 2]), None);
    clearance.acknowledged(&ack(1, Some(OTHER_REGISTRY)));
    assert!(!clearance.is_whole());
    clearance.acknowledged(&ack(2, Some(REGISTRY)));
    assert!(clearance.is_whole() && clearance.is_over(at(0)));
}

#[test]
fn nobody_vouches_where_the_registry_can_not_be_told() {
    let mut clearance = clearance(announced(None, &[1]), Some(REGISTRY));
    clearance.acknowledged(&ack(1, Some(REGISTRY)));
    assert!(!clearance.is_over(at(0)));
}

#[test]
fn an_answer_to_another_sending_counts_for_nothing() {
    let mut clearance = clearance(announced(Some(REGISTRY), &[1]), None);
    let answer = Acknowledgement {
        announcement: AnnouncementId::from_bytes([4; 16]),
        ..ack(1, Some(REGISTRY))
    };
    clearance.acknowledged(&answer);
    assert!(!clearance.is_whole());
    assert_eq!(clearance.silent().len(), 1);
}

/// Copies of accounts, and whether each may be served under a lease.
type Copies = HashMap<u16, (Stamp, bool)>;

fn expire(copies: &mut Copies) {
    for (_, good) in copies.values_mut() {
        *good = false;
    }
}

/// What may happen to a server.
#[derive(Debug, Clone)]
enum Step {
    Fill(u16),
    Announced(u16),
    Everything,
    Reopened,
    Renewed { ago: u64 },
    Waited(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u16).prop_map(Step::Fill),
        2 => (0..6_u16).prop_map(Step::Announced),
        1 => Just(Step::Everything),
        1 => Just(Step::Reopened),
        3 => (0..1_500_u64).prop_map(|ago| Step::Renewed { ago }),
        3 => (1..700_u64).prop_map(Step::Waited),
    ]
}

proptest! {
    /// Whatever happens, a copy is served only if nothing was announced since its stamp was taken and a lease runs that was sent
    /// for less than a lease ago.
    #[test]
    fn no_history_serves_what_was_announced(steps in proptest::collection::vec(step(), 1..60)) {
        let holder = Holder::new();
        let mut number = connect(&holder);
        let mut now = 10_000;
        let mut copies = Copies::new();
        let mut last_sent = None;
        for step in steps {
            match step {
                Step::Fill(of) => {
                    copies.insert(of, (holder.stamp(&account(of)), true));
                }
                Step::Announced(number) => {
                    holder.invalidate(&of(number));
                    if let Some((_, good)) = copies.get_mut(&number) {
                        *good = false;
                    }
                }
                Step::Everything => {
                    holder.invalidate(&Invalidation::Everything);
                    expire(&mut copies);
                }
                Step::Reopened => {
                    number = connect(&holder);
                    last_sent = None;
                    expire(&mut copies);
                }
                Step::Renewed { ago } => {
                    let sent = now - ago;
                    if last_sent.is_none() {
                        // The first renewal of a connection tells of a registry.
                        expire(&mut copies);
                    }
                    holder.renewed(number, REGISTRY, LEASE, at(sent), at(now));
                    last_sent = last_sent.max(Some(sent));
                }
                Step::Waited(millis) => now += millis,
            }
            let runs = last_sent.is_some_and(|sent| now < sent + 1_000);
            for (of, (stamp, good)) in &copies {
                let served = holder.may_serve(&account(*of), *stamp, || at(now));
                prop_assert_eq!(served, *good && runs);
            }
        }
    }

    /// A clock that is two hundredths behind the signer's still counts the lease to its end before the signer's wait is over.
    #[test]
    fn no_clock_outlasts_the_wait(lease in 100..30_000_u64, slow in 0..=19_600_u64) {
        let lease = Duration::from_millis(lease);
        let clearance = Clearance::new(announced(Some(REGISTRY), &[1]), server(0), None, lease, at(0));
        let waited = clearance.over_at().since(at(0)).as_nanos();
        let of_the_other = waited * (1_000_000 - u128::from(slow)) / 1_000_000;
        prop_assert!(of_the_other >= lease.as_nanos());
    }
}

//! The rules of leases: which near-cache entries a server may serve, and how long a sign-out waits. Each rule has its own test, and random
//! histories test them together.

use std::{cell::Cell, collections::HashMap, time::Duration};

use proptest::prelude::*;
use token_cache_core::{
    AccountKey, Acknowledgement, Invalidation, InvalidationId, IssuerKey, LeaseHolder, Published,
    RegistryId, ServerId, near_cache::BootInstant,
};
use token_cache_near_cache::{AckWait, ConnectionNumber, InvalidationCounter, NearCacheLease};

const LEASE: Duration = Duration::from_secs(1);
/// The longest time that a lease can take on another server's clock: 2% and five milliseconds more.
const WAIT: Duration = Duration::from_millis(1_025);
const REGISTRY: RegistryId = RegistryId::from_bytes([1; 16]);
const OTHER_REGISTRY: RegistryId = RegistryId::from_bytes([2; 16]);
const INVALIDATION_ID: InvalidationId = InvalidationId::from_bytes([3; 16]);

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

fn connect(own_lease: &NearCacheLease) -> ConnectionNumber {
    let number = own_lease.connecting();
    own_lease.connected(number);
    number
}

/// Returns the state of a server whose lease began with a renewal that was sent at `sent`.
fn leased(sent: u64) -> (NearCacheLease, ConnectionNumber) {
    let own_lease = NearCacheLease::new();
    let number = connect(&own_lease);
    own_lease.renewed(number, REGISTRY, LEASE, at(sent), at(sent));
    (own_lease, number)
}

#[test]
fn nothing_is_served_without_a_lease() {
    let own_lease = NearCacheLease::new();
    let counter = own_lease.counter(&account(1));
    assert!(!own_lease.may_serve(&account(1), counter, || at(0)));
    assert_eq!(own_lease.lease_until(), None);
    connect(&own_lease);
    let counter = own_lease.counter(&account(1));
    assert!(!own_lease.may_serve(&account(1), counter, || at(0)));
}

#[test]
fn a_lease_runs_from_the_moment_its_renewal_was_sent() {
    let own_lease = NearCacheLease::new();
    let number = connect(&own_lease);
    own_lease.renewed(number, REGISTRY, LEASE, at(100), at(900));
    let counter = own_lease.counter(&account(1));
    assert!(own_lease.may_serve(&account(1), counter, || at(1_099)));
    assert!(!own_lease.may_serve(&account(1), counter, || at(1_100)));
    assert_eq!(own_lease.lease_until(), Some(at(1_100)));
}

#[test]
fn an_earlier_renewal_that_is_answered_late_takes_nothing_away() {
    let (own_lease, number) = leased(500);
    own_lease.renewed(number, REGISTRY, LEASE, at(100), at(600));
    assert_eq!(own_lease.lease_until(), Some(at(1_500)));
}

#[test]
fn the_clock_is_asked_after_everything_else() {
    let (own_lease, _) = leased(0);
    let counter = own_lease.counter(&account(1));
    let asked = Cell::new(0);
    let clock = || {
        asked.set(asked.get() + 1);
        at(1)
    };
    assert!(own_lease.may_serve(&account(1), counter, clock));
    own_lease.invalidate(&of(1));
    assert!(!own_lease.may_serve(&account(1), counter, clock));
    assert_eq!(asked.get(), 1, "the clock is not read for an invalid entry");
}

#[test]
fn an_invalidation_message_kills_what_was_stamped_before_it_and_nothing_else() {
    let (own_lease, _) = leased(0);
    let (first, second) = (
        own_lease.counter(&account(1)),
        own_lease.counter(&account(2)),
    );
    own_lease.invalidate(&of(1));
    assert!(!own_lease.may_serve(&account(1), first, || at(1)));
    assert!(own_lease.may_serve(&account(2), second, || at(1)));
    let again = own_lease.counter(&account(1));
    assert!(own_lease.may_serve(&account(1), again, || at(1)));
    own_lease.invalidate(&Invalidation::Everything);
    assert!(!own_lease.may_serve(&account(1), again, || at(1)));
    assert!(!own_lease.may_serve(&account(2), second, || at(1)));
}

#[test]
fn a_lease_ends_with_a_new_connection() {
    let (own_lease, _) = leased(0);
    let counter = own_lease.counter(&account(1));
    let number = own_lease.connecting();
    assert_eq!(own_lease.lease_until(), None);
    assert!(!own_lease.may_serve(&account(1), counter, || at(1)));
    own_lease.connected(number);
    own_lease.renewed(number, REGISTRY, LEASE, at(1), at(1));
    assert!(
        !own_lease.may_serve(&account(1), counter, || at(2)),
        "what was read on the connection before may have been published meanwhile"
    );
}

#[test]
fn what_an_earlier_connection_brings_does_not_count() {
    let (own_lease, before) = leased(0);
    let now = own_lease.connecting();
    own_lease.renewed(before, REGISTRY, LEASE, at(1), at(1));
    own_lease.saw(before, REGISTRY, at(1));
    assert_eq!(own_lease.lease_until(), None);
    assert_eq!(own_lease.knows(LEASE, at(10_000)), None);
    let counter = own_lease.counter(&account(1));
    own_lease.connected(before);
    assert_eq!(own_lease.counter(&account(1)), counter);
    own_lease.connected(now);
    assert_ne!(own_lease.counter(&account(1)), counter);
}

#[test]
fn a_registry_is_known_after_the_longest_lease_on_one_connection() {
    let (own_lease, number) = leased(0);
    let wait = u64::try_from(WAIT.as_millis()).unwrap();
    assert_eq!(own_lease.knows(LEASE, at(wait - 1)), None);
    assert_eq!(own_lease.knows(LEASE, at(wait)), Some(REGISTRY));
    assert_eq!(own_lease.knows(LEASE * 2, at(wait)), None);
    own_lease.renewed(number, REGISTRY, LEASE, at(wait), at(wait));
    assert_eq!(own_lease.knows(LEASE, at(wait)), Some(REGISTRY));
    own_lease.connecting();
    assert_eq!(own_lease.knows(LEASE, at(wait)), None);
}

#[test]
fn another_registry_is_a_young_one_and_kills_all_cached_entries() {
    let (own_lease, number) = leased(0);
    let counter = own_lease.counter(&account(1));
    own_lease.renewed(number, OTHER_REGISTRY, LEASE, at(2_000), at(2_001));
    assert!(!own_lease.may_serve(&account(1), counter, || at(2_002)));
    assert_eq!(own_lease.knows(LEASE, at(3_025)), None);
    assert_eq!(own_lease.knows(LEASE, at(3_026)), Some(OTHER_REGISTRY));
}

#[test]
fn a_server_without_a_backplane_needs_no_lease() {
    let own_lease = NearCacheLease::without_backplane();
    let counter = own_lease.counter(&account(1));
    assert!(own_lease.may_serve(&account(1), counter, || at(u64::from(u32::MAX))));
    own_lease.invalidate(&of(1));
    assert!(!own_lease.may_serve(&account(1), counter, || at(0)));
}

#[test]
fn who_resigns_serves_nothing() {
    let (own_lease, _) = leased(0);
    let counter = own_lease.counter(&account(1));
    own_lease.resign();
    assert!(!own_lease.may_serve(&account(1), counter, || at(1)));
}

fn published(registry: Option<RegistryId>, holders: &[u8]) -> Published {
    let own_lease = |number: &u8| LeaseHolder {
        server: server(*number),
        renewal: 7,
    };
    Published {
        id: INVALIDATION_ID,
        registry,
        holders: holders.iter().map(own_lease).collect(),
    }
}

fn ack(number: u8, knows: Option<RegistryId>) -> Acknowledgement {
    Acknowledgement {
        message: INVALIDATION_ID,
        server: server(number),
        knows,
    }
}

fn ack_wait(published: Published, knows: Option<RegistryId>) -> AckWait {
    AckWait::new(published, server(0), knows, LEASE, at(0))
}

#[test]
fn who_signs_out_does_not_wait_for_itself() {
    let ack_wait = ack_wait(published(Some(REGISTRY), &[0]), Some(REGISTRY));
    assert!(ack_wait.is_over(at(0)));
}

#[test]
fn every_other_holder_is_waited_for() {
    let mut ack_wait = ack_wait(published(Some(REGISTRY), &[0, 1, 2]), Some(REGISTRY));
    ack_wait.acknowledged(&ack(1, None));
    ack_wait.acknowledged(&ack(1, None));
    assert!(!ack_wait.is_over(at(0)));
    assert_eq!(ack_wait.silent().len(), 1);
    ack_wait.acknowledged(&ack(2, None));
    assert!(ack_wait.is_over(at(0)));
}

#[test]
fn a_lease_with_its_drift_is_the_bound() {
    let ack_wait = ack_wait(published(Some(REGISTRY), &[1]), Some(REGISTRY));
    let wait = u64::try_from(WAIT.as_millis()).unwrap();
    assert!(!ack_wait.is_over(at(wait - 1)));
    assert!(ack_wait.is_over(at(wait)));
    assert_eq!(ack_wait.over_at(), at(wait));
    assert_eq!(ack_wait.silent()[0].server, server(1));
}

#[test]
fn a_young_registry_is_waited_out_though_all_in_it_answered() {
    for (registry, knows) in [
        (Some(REGISTRY), None),
        (Some(REGISTRY), Some(OTHER_REGISTRY)),
        (None, Some(REGISTRY)),
        (None, None),
    ] {
        let mut ack_wait = ack_wait(published(registry, &[1]), knows);
        ack_wait.acknowledged(&ack(1, None));
        assert!(!ack_wait.is_whole());
        assert!(!ack_wait.is_over(at(1_024)));
        assert!(ack_wait.is_over(at(1_025)));
    }
}

#[test]
fn one_that_has_known_the_registry_for_long_vouches_for_it() {
    let mut ack_wait = ack_wait(published(Some(REGISTRY), &[1, 2]), None);
    ack_wait.acknowledged(&ack(1, Some(OTHER_REGISTRY)));
    assert!(!ack_wait.is_whole());
    ack_wait.acknowledged(&ack(2, Some(REGISTRY)));
    assert!(ack_wait.is_whole() && ack_wait.is_over(at(0)));
}

#[test]
fn nobody_vouches_where_the_registry_can_not_be_told() {
    let mut ack_wait = ack_wait(published(None, &[1]), Some(REGISTRY));
    ack_wait.acknowledged(&ack(1, Some(REGISTRY)));
    assert!(!ack_wait.is_over(at(0)));
}

#[test]
fn an_answer_to_another_sending_counts_for_nothing() {
    let mut ack_wait = ack_wait(published(Some(REGISTRY), &[1]), None);
    let answer = Acknowledgement {
        message: InvalidationId::from_bytes([4; 16]),
        ..ack(1, Some(REGISTRY))
    };
    ack_wait.acknowledged(&answer);
    assert!(!ack_wait.is_whole());
    assert_eq!(ack_wait.silent().len(), 1);
}

/// The counters of stored entries by account, and whether each entry may be served under a lease.
type CacheStorage = HashMap<u16, (InvalidationCounter, bool)>;

fn expire(cached: &mut CacheStorage) {
    for (_, good) in cached.values_mut() {
        *good = false;
    }
}

/// An event on a server.
#[derive(Debug, Clone)]
enum Step {
    Fill(u16),
    Published(u16),
    Everything,
    Reopened,
    Renewed { ago: u64 },
    Waited(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u16).prop_map(Step::Fill),
        2 => (0..6_u16).prop_map(Step::Published),
        1 => Just(Step::Everything),
        1 => Just(Step::Reopened),
        3 => (0..1_500_u64).prop_map(|ago| Step::Renewed { ago }),
        3 => (1..700_u64).prop_map(Step::Waited),
    ]
}

proptest! {
    /// In any history, an entry is served only if no invalidation came since its counter was taken, and if a lease runs whose renewal was
    /// sent less than a lease ago.
    #[test]
    fn no_history_serves_what_was_published(steps in proptest::collection::vec(step(), 1..60)) {
        let own_lease = NearCacheLease::new();
        let mut number = connect(&own_lease);
        let mut now = 10_000;
        let mut cached = CacheStorage::new();
        let mut last_sent = None;
        for step in steps {
            match step {
                Step::Fill(of) => {
                    cached.insert(of, (own_lease.counter(&account(of)), true));
                }
                Step::Published(number) => {
                    own_lease.invalidate(&of(number));
                    if let Some((_, good)) = cached.get_mut(&number) {
                        *good = false;
                    }
                }
                Step::Everything => {
                    own_lease.invalidate(&Invalidation::Everything);
                    expire(&mut cached);
                }
                Step::Reopened => {
                    number = connect(&own_lease);
                    last_sent = None;
                    expire(&mut cached);
                }
                Step::Renewed { ago } => {
                    let sent = now - ago;
                    if last_sent.is_none() {
                        // The first renewal of a connection reports a new registry.
                        expire(&mut cached);
                    }
                    own_lease.renewed(number, REGISTRY, LEASE, at(sent), at(now));
                    last_sent = last_sent.max(Some(sent));
                }
                Step::Waited(millis) => now += millis,
            }
            let runs = last_sent.is_some_and(|sent| now < sent + 1_000);
            for (of, (counter, good)) in &cached {
                let served = own_lease.may_serve(&account(*of), *counter, || at(now));
                prop_assert_eq!(served, *good && runs);
            }
        }
    }

    /// A lease on a clock that is up to 1.96% slower than the origin's still expires before the origin's wait ends.
    #[test]
    fn no_clock_outlasts_the_wait(lease in 100..30_000_u64, slow in 0..=19_600_u64) {
        let lease = Duration::from_millis(lease);
        let ack_wait = AckWait::new(published(Some(REGISTRY), &[1]), server(0), None, lease, at(0));
        let waited = ack_wait.over_at().since(at(0)).as_nanos();
        let of_the_other = waited * (1_000_000 - u128::from(slow)) / 1_000_000;
        prop_assert!(of_the_other >= lease.as_nanos());
    }
}

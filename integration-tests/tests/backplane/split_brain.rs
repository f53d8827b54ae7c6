use std::time::{Duration, Instant};

use token_cache::{Session, near_cache::NearCacheOutcome};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer, ReplicatedRedis};

use crate::{
    common::{HASTY, PATIENT, eventually, with},
    fleet::{
        Fleet, NEAR_CACHE, are_served_from_near_caches, calls_of, entry, is_served_by_nobody,
        reads_of,
    },
};

const LEASE: Duration = Duration::from_millis(500);

/// Servers that know one primary only, and keep copies.
const HOLDERS: usize = 3;

/// Who signs out at the other one.
const ORIGIN: usize = HOLDERS;

/// Two live primaries, of which each has what was written before.
struct SplitBrain {
    pair: ReplicatedRedis,
    /// The holders, and the origin after them.
    fleet: Fleet,
    /// At the holders.
    ada: Vec<Session>,
    bob: Vec<Session>,
}

impl SplitBrain {
    async fn of(parameters: &str) -> Self {
        let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
        eventually("the replica confirms", async || {
            let confirmed = pair.primary().cli(&["WAIT", "1", "100"]).unwrap();
            (confirmed.int() == Some(1)).then_some(())
        })
        .await;
        let url = with(&pair.primary().url(), parameters);
        let mut fleet = Fleet::of(&vec![url; HOLDERS]).await;
        let (ada, bob) = (fleet.signs_in("ada").await, fleet.signs_in("bob").await);
        are_served_from_near_caches(&ada, &[pair.primary()]).await;
        are_served_from_near_caches(&bob, &[pair.primary()]).await;
        pair.wait_until_in_step().unwrap();
        pair.promote().unwrap();
        fleet.join(&with(&pair.replica().url(), PATIENT)).await;
        Self {
            pair,
            fleet,
            ada,
            bob,
        }
    }

    /// The registry that the new primary has is young to a origin that has just met it, and all holders are in it: the lease is waited out.
    async fn signs_ada_out_who_has_just_met_the_registry(&self) {
        let gone = self.fleet.signs_out(ORIGIN, "ada").await;
        let NearCacheOutcome::Cleared { silent, waited, .. } = gone else {
            panic!("{gone:?}");
        };
        assert_eq!(silent.len(), HOLDERS);
        assert!(waited >= LEASE, "{waited:?}");
    }

    /// Those who were silent are gone from the registry, and the origin has known it for longer than a lease: nobody is waited for.
    async fn signs_bob_out_who_knows_the_registry(&self) {
        eventually("nobody is waited for", async || {
            match self.fleet.signs_out(ORIGIN, "carol").await {
                NearCacheOutcome::Cleared { waited, .. } if waited < LEASE => Some(()),
                _ => None,
            }
        })
        .await;
        let gone = self.fleet.signs_out(ORIGIN, "bob").await;
        let NearCacheOutcome::Cleared {
            servers, waited, ..
        } = &gone
        else {
            panic!("{gone:?}");
        };
        assert!(servers.is_empty() && *waited < LEASE, "{gone:?}");
    }
}

/// Whoever still serves it has asked the old primary, who knows nothing of the sign-out.
async fn is_in_no_near_cache(sessions: &[Session], old: &RedisServer) {
    for (at, session) in sessions.iter().enumerate() {
        let before = reads_of(old);
        let read = session.get(&entry()).await;
        assert!(
            !matches!(read, Ok(Some(_))) || reads_of(old) > before,
            "server {at} serves a copy"
        );
    }
}

/// No renewal is confirmed by a replica that has become a primary: leases are those that were given before, and a origin at the new
/// one has known its registry for no longer than it is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_replicas_no_cached_entry_is_served_after_a_sign_out_at_the_new_primary() {
    let split = SplitBrain::of(&format!("{HASTY}&replicas=1&{NEAR_CACHE}")).await;
    let old = split.pair.primary();
    split.signs_ada_out_who_has_just_met_the_registry().await;
    is_in_no_near_cache(&split.ada, old).await;
    split.signs_bob_out_who_knows_the_registry().await;
    // They go on asking for leases, and get none.
    let tried = calls_of(old, "wait");
    eventually("each has tried to renew again", async || {
        is_in_no_near_cache(&split.ada, old).await;
        is_in_no_near_cache(&split.bob, old).await;
        (calls_of(old, "wait") >= tried + 2 * 3).then_some(())
    })
    .await;
}

/// Without `replicas` the old primary gives leases, as it answers reads, for as long as it lives. What it gave last has run out a lease
/// after its end, whether its connections are closed or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_replicas_no_cached_entry_is_served_when_the_old_primary_is_gone_for_a_lease() {
    let mut split = SplitBrain::of(&format!("{HASTY}&{NEAR_CACHE}")).await;
    split.signs_ada_out_who_has_just_met_the_registry().await;
    split.signs_bob_out_who_knows_the_registry().await;
    // The other side of the split brain has heard of nothing.
    let old = split.pair.primary();
    are_served_from_near_caches(&split.ada, &[old]).await;
    are_served_from_near_caches(&split.bob, &[old]).await;
    old.pause().unwrap();
    let gone = Instant::now();
    let last = gone + LEASE + LEASE / 50;
    for session in split.ada.iter().chain(&split.bob) {
        eventually("the lease has run out", async || {
            let begun = Instant::now();
            let served = matches!(session.get(&entry()).await, Ok(Some(_)));
            let late = begun.saturating_duration_since(last);
            assert!(!served || late.is_zero(), "a copy was served {late:?} late");
            (!served).then_some(())
        })
        .await;
    }
    split.pair.primary_mut().kill9().unwrap();
    is_served_by_nobody(&split.ada).await;
    is_served_by_nobody(&split.bob).await;
}

use std::time::{Duration, Instant};

use token_cache::{Session, near_cache::NearCacheOutcome};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer, ReplicatedRedis};

use crate::backplane::{
    common::{HASTY, PATIENT, eventually, with},
    fleet::{
        Fleet, NEAR_CACHE, are_served_from_near_caches, calls_of, entry, is_served_by_nobody,
        reads_of,
    },
};

const LEASE: Duration = Duration::from_millis(500);

/// Number of servers that know only the old primary, and have near caches.
const CACHING: usize = 3;

/// Number of the server that signs out at the new primary.
const ORIGIN: usize = CACHING;

/// Two live primaries with the same data.
struct SplitBrain {
    pair: ReplicatedRedis,
    /// The servers with near caches, followed by the origin.
    fleet: Fleet,
    /// At the servers with near caches.
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
        let mut fleet = Fleet::of(&vec![url; CACHING]).await;
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

    /// The origin has just connected, so the new primary's registry is young to it. All servers with leases are in that registry. The
    /// origin waits until the lease has passed.
    async fn signs_ada_out_with_a_new_registry(&self) {
        let gone = self.fleet.signs_out(ORIGIN, "ada").await;
        let NearCacheOutcome::Cleared { silent, waited, .. } = gone else {
            panic!("{gone:?}");
        };
        assert_eq!(silent.len(), CACHING);
        assert!(waited >= LEASE, "{waited:?}");
    }

    /// The silent servers are no longer in the registry, and the origin has known it for longer than a lease. The origin does not wait.
    async fn signs_bob_out_with_a_known_registry(&self) {
        eventually("a sign-out does not wait", async || {
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

/// Asserts that a server that still serves the session has read from the old primary, which has not received the sign-out.
async fn is_in_no_near_cache(sessions: &[Session], old: &RedisServer) {
    for (at, session) in sessions.iter().enumerate() {
        let before = reads_of(old);
        let read = session.get(&entry()).await;
        assert!(
            !matches!(read, Ok(Some(_))) || reads_of(old) > before,
            "server {at} serves a near-cache entry"
        );
    }
}

/// A promoted replica confirms no renewal: the only leases are those that were granted before. An origin at the new primary has known its
/// registry for at most as long as it has been one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_replicas_no_cached_entry_is_served_after_a_sign_out_at_the_new_primary() {
    let split = SplitBrain::of(&format!("{HASTY}&replicas=1&{NEAR_CACHE}")).await;
    let old = split.pair.primary();
    split.signs_ada_out_with_a_new_registry().await;
    is_in_no_near_cache(&split.ada, old).await;
    split.signs_bob_out_with_a_known_registry().await;
    // They continue to request leases, and get none.
    let tried = calls_of(old, "wait");
    eventually("each has tried to renew again", async || {
        is_in_no_near_cache(&split.ada, old).await;
        is_in_no_near_cache(&split.bob, old).await;
        (calls_of(old, "wait") >= tried + 2 * 3).then_some(())
    })
    .await;
}

/// Without `replicas` the old primary grants leases as long as it runs, as it answers reads. The last one has ended a lease after the
/// primary's end, whether its connections are closed or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_replicas_no_cached_entry_is_served_when_the_old_primary_is_gone_for_a_lease() {
    let mut split = SplitBrain::of(&format!("{HASTY}&{NEAR_CACHE}")).await;
    split.signs_ada_out_with_a_new_registry().await;
    split.signs_bob_out_with_a_known_registry().await;
    // The other side of the split brain has received no message.
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
            assert!(
                !served || late.is_zero(),
                "a near-cache entry was served {late:?} late"
            );
            (!served).then_some(())
        })
        .await;
    }
    split.pair.primary_mut().kill9().unwrap();
    is_served_by_nobody(&split.ada).await;
    is_served_by_nobody(&split.bob).await;
}

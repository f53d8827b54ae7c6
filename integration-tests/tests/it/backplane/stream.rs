use std::time::Duration;

use token_cache_core::Invalidation;

use crate::backplane::common::{Connected, PATIENT, proxied, redis, with};

/// Behind a relay that delivers replies and pushes independently of each other, as some services do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_waits_for_what_was_published_where_pushes_are_late() {
    pushes_and_replies_are_parted(Duration::ZERO, Duration::from_millis(150)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_waits_for_its_answer_where_replies_are_late() {
    pushes_and_replies_are_parted(Duration::from_millis(150), Duration::ZERO).await;
}

async fn pushes_and_replies_are_parted(replies: Duration, pushes: Duration) {
    let redis = redis();
    let proxy = proxied(&redis);
    let origin = Connected::at(&with(&redis.url(), PATIENT)).await;
    let leased = Connected::at(&with(&proxy.url(), PATIENT)).await;
    proxy.part_links(replies, pushes);
    let registry = origin.connection.registry().await.unwrap();
    for _ in 0..5 {
        let published = origin.publishes().await;
        assert_eq!(leased.connection.renew().await.unwrap(), registry);
        assert!(leased.has_heard(published.id));
    }
}

#[tokio::test]
async fn what_is_no_invalidation_message_drops_every_cached_entry() {
    let redis = redis();
    let leased = Connected::at(&with(&redis.url(), PATIENT)).await;
    for (strange, heard) in [(b"".as_slice(), 1), (b"\x02a\x00\x00", 2), (&[7; 4096], 3)] {
        redis
            .cli(&[b"SPUBLISH".as_slice(), b"tc:{l}:a", strange])
            .unwrap();
        leased.connection.renew().await.unwrap();
        let told = leased.heard();
        assert_eq!(told.len(), heard);
        assert_eq!(told[heard - 1].what, Invalidation::Everything);
        assert_eq!(told[heard - 1].origin, None);
    }
}

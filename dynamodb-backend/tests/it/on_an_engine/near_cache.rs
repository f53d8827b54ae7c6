//! Near caches on a store without a backplane: they die of age, and every server's sign-out waits for the greatest age of the fleet.

use std::time::{Duration, Instant};

use token_cache::near_cache::NearCacheConfig;
use token_cache_core::{AccountId, EntryKey, NearCacheOutcome, Secret, SignIn, Ticket, TokenCache};

use crate::on_an_engine::engine;

const AGE: Duration = Duration::from_secs(1);

/// Until copies are served: a server that starts waits until all others know of it.
const PATIENCE: Duration = Duration::from_secs(30);

struct Fleet {
    none: TokenCache,
    long: TokenCache,
    short: TokenCache,
}

async fn fleet() -> Fleet {
    let secret = Secret::random().unwrap();
    let open = async |age: Option<Duration>| {
        let store = engine().store("copies").await.unwrap();
        let mut builder = TokenCache::builder(store).secret(secret.clone());
        if let Some(age) = age {
            builder = builder.near_cache(NearCacheConfig::new().max_age(age));
        }
        builder.open().await.unwrap()
    };
    Fleet {
        none: open(None).await,
        short: open(Some(AGE / 5)).await,
        long: open(Some(AGE)).await,
    }
}

fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

fn api() -> EntryKey {
    EntryKey::new("api").unwrap()
}

async fn sign_in(cache: &TokenCache) -> Ticket {
    let started = cache.start_sign_in().unwrap();
    let session = cache.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    session.put(&api(), b"token".to_vec()).await.unwrap();
    session.ticket().unwrap()
}

/// Whether it answers with the token; else the session has ended.
async fn reads(cache: &TokenCache, ticket: &Ticket) -> bool {
    let session = cache.resume_unverified(ticket).unwrap();
    match session.get(&api()).await {
        Ok(entry) => entry.is_some(),
        Err(error) if error.is_signed_out() => false,
        Err(error) => panic!("{error}"),
    }
}

/// Signs out on one server while another holds a copy. Answers whether that one was seen to serve it after the eviction.
async fn sign_out(fleet: &Fleet, signer: &TokenCache) -> bool {
    let ticket = sign_in(&fleet.none).await;
    assert!(reads(&fleet.long, &ticket).await);
    let begun = Instant::now();
    let signing = tokio::spawn({
        let signer = signer.clone();
        async move { signer.sign_out_account(&ada()).await }
    });
    while reads(&fleet.none, &ticket).await {
        tokio::task::yield_now().await;
    }
    let served = reads(&fleet.long, &ticket).await;
    let near_caches = signing.await.unwrap().unwrap().near_caches;
    assert!(begun.elapsed() > AGE, "{:?}", begun.elapsed());
    assert!(
        matches!(near_caches, NearCacheOutcome::Cleared { waited, .. } if waited > AGE),
        "{near_caches:?}"
    );
    assert!(!reads(&fleet.long, &ticket).await);
    served
}

#[tokio::test]
async fn a_sign_out_waits_the_greatest_age_of_all_servers_whatever_its_own() {
    let fleet = fleet().await;
    // The first server has opened before anybody kept copies, and reads of it.
    let begun = Instant::now();
    while fleet.none.longest_near_cache_life().unwrap() < AGE {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for signer in [&fleet.none, &fleet.short, &fleet.long] {
        // Its own copies a server drops at once.
        let is_another = !std::ptr::eq(signer, &raw const fleet.long);
        while !sign_out(&fleet, signer).await && is_another {
            assert!(begun.elapsed() < PATIENCE, "no copy was served");
        }
    }
}

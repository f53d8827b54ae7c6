use proptest::prelude::*;
use token_cache_core::TokenStore;

use token_cache_near_cache::NearCacheConfig;

use super::{Server, begin, elsewhere, entry, memory, now, put};

const MOST: usize = 40;
const BYTES: usize = 64 << 10;

/// A read: its account, and the name and size of the entry.
#[derive(Debug, Clone)]
struct Read {
    account: u8,
    name: u8,
    bytes: usize,
    session: bool,
}

fn reads() -> impl Strategy<Value = Vec<Read>> {
    let read = (0..30_u8, 0..6_u8, 0..9_000_usize, any::<bool>()).prop_map(
        |(account, name, bytes, session)| Read {
            account,
            name,
            bytes,
            session,
        },
    );
    prop::collection::vec(read, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn neither_cached_entries_nor_bytes_go_over_their_bounds(reads in reads()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = memory();
            for account in 0..30 {
                begin(&memory, account).await;
            }
            let policy = NearCacheConfig::new().max_entries(MOST).max_bytes(BYTES);
            let server = Server::with(&memory, policy).await;
            let mut stats = 0;
            for read in reads {
                let at = entry(read.account, read.name);
                put(&elsewhere(&memory).await, &at, &vec![1; read.bytes]).await;
                let (found, _) = server.read(&at).await;
                prop_assert!(found.is_some());
                if read.session {
                    server.near_cache.session(at.account(), at.session_id(), now()).await.unwrap();
                }
                let size = server.size();
                prop_assert!(size.items <= MOST, "{size:?}");
                prop_assert!(size.bytes <= BYTES, "{size:?}");
                stats = stats.max(size.items);
            }
            prop_assert!(stats > 0);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_bound_on_cached_entries_is_used_to_the_full_nearly() {
    let memory = memory();
    let policy = NearCacheConfig::new().max_entries(100);
    let server = Server::with(&memory, policy).await;
    for account in 0..200 {
        begin(&memory, account).await;
        let at = entry(account, 1);
        put(&elsewhere(&memory).await, &at, b"a token").await;
        server.read(&at).await;
    }
    let copies = server.size().items;
    assert!((90..=100).contains(&copies), "{copies}");
}

#[tokio::test]
async fn of_an_account_with_too_much_the_oldest_cached_entries_go() {
    let memory = memory();
    let policy = NearCacheConfig::new().max_entries(1_000).max_bytes(BYTES);
    let server = Server::with(&memory, policy).await;
    begin(&memory, 1).await;
    for name in 0..30 {
        let at = entry(1, name);
        put(&elsewhere(&memory).await, &at, &[1; 4_000]).await;
        server.read(&at).await;
        server.clock.advance(super::NANO);
    }
    assert!(server.hits(&entry(1, 29)).await);
    assert!(server.hits(&entry(1, 26)).await);
    assert!(!server.hits(&entry(1, 0)).await);
}

#[tokio::test]
async fn what_is_too_big_for_any_cached_entry_is_read_all_the_same() {
    let memory = memory();
    let policy = NearCacheConfig::new().max_bytes(BYTES);
    let server = Server::with(&memory, policy).await;
    begin(&memory, 1).await;
    let at = entry(1, 1);
    put(&elsewhere(&memory).await, &at, &vec![1; BYTES]).await;
    for _ in 0..2 {
        let (read, asked) = server.read(&at).await;
        assert!(read.is_some() && asked);
    }
    assert_eq!(server.size().bytes, 0);
}

use token_cache::{
    AccountId, EntryKey, Secret, Session, SignIn, SignOutScope, TokenCache,
    near_cache::NearCacheOutcome,
};
use token_cache_integration_tests::servers::RedisServer;

use crate::backplane::common::eventually;

pub(crate) const NEAR_CACHE: &str = "near_cache=60s&lease=500ms";

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const SID: &str = "s1";

/// Servers of one fleet, each with a near cache.
pub(crate) struct Fleet {
    secret: Secret,
    pub(crate) servers: Vec<TokenCache>,
}

impl Fleet {
    pub(crate) async fn of(urls: &[String]) -> Self {
        let mut fleet = Self {
            secret: Secret::random().unwrap(),
            servers: Vec::new(),
        };
        for url in urls {
            fleet.join(url).await;
        }
        fleet
    }

    pub(crate) async fn join(&mut self, url: &str) {
        // A replica confirms nothing before it has caught up, and confirms late on a busy machine.
        let opened = eventually("it opens", async || {
            let builder = token_cache::builder(url).unwrap();
            builder.secret(self.secret.clone()).open().await.ok()
        });
        let opened = opened.await;
        self.servers.push(opened);
    }

    /// Signs a user in, and returns the session at every server.
    pub(crate) async fn signs_in(&self, subject: &str) -> Vec<Session> {
        let ticket = eventually("a sign-in works", async || {
            let cache = &self.servers[0];
            let started = cache.start_sign_in().unwrap();
            let sign_in = SignIn::new(ada(subject), &started).sid(SID).unwrap();
            let session = cache.sign_in(sign_in).await.ok()?;
            session.put(&entry(), b"token".as_slice()).await.ok()?;
            session.ticket().ok()
        })
        .await;
        self.servers
            .iter()
            .map(|cache| cache.resume_unverified(&ticket).unwrap())
            .collect()
    }

    pub(crate) async fn signs_out(&self, by: usize, subject: &str) -> NearCacheOutcome {
        let scope = || SignOutScope::Account(ada(subject));
        eventually("a sign-out is Ok", async || {
            self.servers[by].sign_out(scope()).await.ok()
        })
        .await
        .near_caches
    }
}

pub(crate) fn ada(subject: &str) -> AccountId {
    AccountId::new(ISSUER, subject).unwrap()
}

pub(crate) fn entry() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// Waits until a session's reads send no request to the given Redis servers.
pub(crate) async fn are_served_from_near_caches(sessions: &[Session], redis: &[&RedisServer]) {
    let reads = || -> i64 { redis.iter().map(|redis| reads_of(redis)).sum() };
    eventually("reads are served from near caches", async || {
        let mut all = true;
        for session in sessions {
            let before = reads();
            let read = session.get(&entry()).await;
            all &= matches!(read, Ok(Some(_))) && reads() == before;
        }
        all.then_some(())
    })
    .await;
}

/// Returns the number of reads that a server has answered.
pub(crate) fn reads_of(redis: &RedisServer) -> i64 {
    calls_of(redis, "hmget")
}

/// Returns how often a server has executed a command.
pub(crate) fn calls_of(redis: &RedisServer, command: &str) -> i64 {
    let Ok(stats) = redis.cli(&["INFO", "commandstats"]) else {
        return 0;
    };
    let name = format!("cmdstat_{command}:calls=");
    stats
        .text()
        .and_then(|text| text.split_once(&name))
        .and_then(|(_, rest)| rest.split_once(',')?.0.parse().ok())
        .unwrap_or(0)
}

/// Asserts that no server serves the session: each read that starts now is refused or fails.
pub(crate) async fn is_served_by_nobody(sessions: &[Session]) {
    for (at, session) in sessions.iter().enumerate() {
        let read = session.get(&entry()).await;
        assert!(!matches!(read, Ok(Some(_))), "server {at} serves it");
    }
}

/// Returns the node of a slot. The slots are shared evenly, in order.
pub(crate) fn node_of(slot: usize, nodes: usize) -> usize {
    (0..nodes)
        .find(|node| slot < (node + 1) * 16_384 / nodes)
        .unwrap()
}

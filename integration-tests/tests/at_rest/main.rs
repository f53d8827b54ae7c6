//! What lies in a store, all of it, together with the key ring, opens nothing (G5): neither while a session lives nor after
//! its sign-out. A background session is the exception, for as long as its session lives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dynamodb;
mod redis;

use std::{future::Future, time::Duration};

use token_cache_core::{
    AccountId, Entry, EntryAddress, EntryKey, OnBehalfOf, ReadOptions, Secret, Session, SignIn,
    Timestamp, TokenCache, TokenSet, TokenStore,
    test_util::{OfflineAttacker, address_of},
};

/// What a web API is called with: who has it may read.
const ASSERTION: &str = "the token that a web API was called with";

/// No assertion lives longer.
const LONGEST_ASSERTION: Duration = Duration::from_secs(3600);

const TOKEN: &str = "the access token of a user";

fn account(subject: &str) -> AccountId {
    AccountId::new("https://id.example", subject).unwrap()
}

fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// A session with tokens, and its entry as the store has it.
struct Victim {
    session: Session,
    at: EntryAddress,
    sealed: Entry,
}

impl Victim {
    async fn new(
        cache: &TokenCache,
        store: &dyn TokenStore,
        subject: &str,
        background_sessions: bool,
    ) -> Self {
        let started = cache.start_sign_in().unwrap();
        let sign_in = SignIn::new(account(subject), &started)
            .sid("08a5019c")
            .unwrap();
        let sign_in = if background_sessions {
            sign_in.background_access()
        } else {
            sign_in
        };
        let session = cache.sign_in(sign_in).await.unwrap();
        Self::of(session, store).await
    }

    /// A web API's, which was called with an assertion.
    async fn of_api(cache: &TokenCache, store: &dyn TokenStore, subject: &str) -> Self {
        let now = cache.now().unwrap().as_millis() / 1_000;
        let claims = serde_json::json!({
            "iss": "https://id.example", "sub": subject, "iat": now, "exp": now + 600,
        });
        let called = OnBehalfOf::from_claims(&claims, ASSERTION).unwrap();
        Self::of(cache.on_behalf_of(called).await.unwrap(), store).await
    }

    async fn of(session: Session, store: &dyn TokenStore) -> Self {
        session
            .put(&api(), TokenSet::new(TOKEN).unwrap())
            .await
            .unwrap();
        let at = address_of(&session, &api()).unwrap();
        let options = ReadOptions::at(Timestamp::default());
        let sealed = store.read(&at, options).await.unwrap().unwrap();
        Self {
            session,
            at,
            sealed,
        }
    }
}

/// Takes everything that is in the store now. There must be something, and no token among it in clear.
async fn burgle<Loot: Future<Output = Vec<Vec<u8>>>>(
    secret: &Secret,
    loot: impl Fn() -> Loot,
    victim: Option<&Victim>,
) -> OfflineAttacker {
    let mut attacker = OfflineAttacker::new(secret);
    let loot = loot().await;
    let mut has_entry = false;
    for bytes in &loot {
        let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!contains(TOKEN.as_bytes()), "a token in clear");
        assert!(!contains(ASSERTION.as_bytes()), "an assertion in clear");
        assert!(
            !contains(b"id.example") && !contains(b"08a5019c"),
            "an id in clear"
        );
        has_entry |= victim.is_some_and(|victim| contains(victim.sealed.stored()));
        attacker.take(bytes);
    }
    assert!(
        attacker.candidates() > 100,
        "the store gave next to nothing"
    );
    if victim.is_some() {
        assert!(has_entry, "the entry is not among what was taken");
    }
    attacker
}

/// The story, on any store.
async fn what_lies_there_opens_nothing<Loot: Future<Output = Vec<Vec<u8>>>>(
    cache: &TokenCache,
    store: &dyn TokenStore,
    secret: &Secret,
    loot: impl Fn() -> Loot,
    swept: impl AsyncFn(),
) {
    let victim = Victim::new(cache, store, "ada", false).await;
    let attacker = burgle(secret, &loot, Some(&victim)).await;
    assert!(attacker.opens(&victim.at, &victim.sealed).is_none());
    let signed_out = cache.sign_out_account(&account("ada")).await.unwrap();
    assert!(signed_out.ended);
    let attacker = burgle(secret, &loot, None).await;
    assert!(attacker.opens(&victim.at, &victim.sealed).is_none());
    assert!(
        victim
            .session
            .get(&api())
            .await
            .unwrap_err()
            .is_signed_out()
    );

    // Another account: a sign-in within a tick of the store's clock after a sign-out may be refused.
    let background_session = Victim::new(cache, store, "bob", true).await;
    let attacker = burgle(secret, &loot, Some(&background_session)).await;
    let opened = attacker
        .opens(&background_session.at, &background_session.sealed)
        .unwrap();
    let token = opened.tokens().unwrap();
    assert_eq!(
        token_cache_core::ExposeSecret::expose_secret(token.access_token()),
        TOKEN,
        "the price of a background session",
    );
    let signed_out = cache.sign_out_account(&account("bob")).await.unwrap();
    assert!(signed_out.ended);
    // A store that deletes in one step only what says which sessions live has its leftovers swept up; till then the background session
    // of an ended session lies about.
    swept().await;
    let attacker = burgle(secret, &loot, None).await;
    assert!(
        attacker
            .opens(&background_session.at, &background_session.sealed)
            .is_none()
    );

    let of_api = Victim::of_api(cache, store, "eve").await;
    let mut attacker = burgle(secret, &loot, Some(&of_api)).await;
    assert!(attacker.opens(&of_api.at, &of_api.sealed).is_none());
    attacker.take(ASSERTION.as_bytes());
    assert!(attacker.opens(&of_api.at, &of_api.sealed).is_some());
    let signed_out = cache.sign_out_account(&account("eve")).await.unwrap();
    assert!(signed_out.ended);
    swept().await;
    let mut attacker = burgle(secret, &loot, None).await;
    attacker.take(ASSERTION.as_bytes());
    assert!(attacker.opens(&of_api.at, &of_api.sealed).is_none());
}

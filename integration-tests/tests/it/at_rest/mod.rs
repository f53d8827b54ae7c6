//! The complete contents of a store, together with the key ring, decrypt nothing (G5), neither while a session lives nor after its
//! sign-out. A background session is the exception, as long as its session lives.

mod dynamodb;
mod redis;

use std::{future::Future, time::Duration};

use token_cache_core::{
    AccountId, Entry, EntryAddress, EntryKey, OnBehalfOf, ReadOptions, Secret, Session, SignIn,
    Timestamp, TokenCache, TokenSet, TokenStore,
    test_util::{OfflineAttacker, address_of},
};

/// The assertion that a web API is called with. It gives access to the session's entries.
const ASSERTION: &str = "the token that a web API was called with";

/// The maximum lifetime of an assertion.
const LONGEST_ASSERTION: Duration = Duration::from_secs(3600);

const TOKEN: &str = "the access token of a user";

fn account(subject: &str) -> AccountId {
    AccountId::new("https://id.example", subject).unwrap()
}

fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// A session with tokens, and its stored entry.
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

    /// Creates the session of a web API that was called with an assertion.
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

/// Reads everything in the store. It must contain something, and no token in clear.
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
        assert!(!contains(TOKEN.as_bytes()), "a token is in clear");
        assert!(!contains(ASSERTION.as_bytes()), "an assertion is in clear");
        assert!(
            !contains(b"id.example") && !contains(b"08a5019c"),
            "an id is in clear"
        );
        has_entry |= victim.is_some_and(|victim| contains(victim.sealed.stored()));
        attacker.take(bytes);
    }
    assert!(
        attacker.candidates() > 100,
        "the store returned almost nothing"
    );
    if victim.is_some() {
        assert!(has_entry, "the entry is not in the data that was read");
    }
    attacker
}

/// Runs the test on any store.
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

    // Another account is used because a sign-in within a tick of the store's clock after a sign-out may be refused.
    let background_session = Victim::new(cache, store, "bob", true).await;
    let attacker = burgle(secret, &loot, Some(&background_session)).await;
    let opened = attacker
        .opens(&background_session.at, &background_session.sealed)
        .unwrap();
    let token = opened.tokens().unwrap();
    assert_eq!(
        token_cache_core::ExposeSecret::expose_secret(token.access_token()),
        TOKEN,
        "a background session can be decrypted",
    );
    let signed_out = cache.sign_out_account(&account("bob")).await.unwrap();
    assert!(signed_out.ended);
    // A store whose sign-out deletes only the list of live sessions has the rest swept later. Until then it still contains the background
    // session of the ended session.
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

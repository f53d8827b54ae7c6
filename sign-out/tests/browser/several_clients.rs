//! An app with several registrations. Tokens of one provider or client are never sent to another.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use token_cache_core::{AccountId, Session, SignIn, TokenSet};
use token_cache_sign_out::{ClientRegistration, id_token_key};
use tokio::time;

use crate::{
    revocation::Revoker,
    shop::{Answer, Browser, ISSUER, Shop, api},
};

const OTHER: &str = "https://other.example";

fn client(issuer: &str, id: &str, revoker: &Revoker) -> ClientRegistration {
    ClientRegistration::new(issuer, id)
        .jwks("{\"keys\":[]}")
        .end_session_endpoint(format!("{issuer}/end"))
        .revoke_on_sign_out(api(), revoker.clone())
}

/// Returns an app with a registration at each of two providers.
async fn with_two_providers() -> (Shop, [Revoker; 2]) {
    let revokers = [Revoker::default(), Revoker::default()];
    let [here, there] = &revokers;
    let shop = Shop::with(|builder| {
        builder
            .client(client(ISSUER, "shop", here))
            .client(client(OTHER, "shop", there))
    });
    (shop.await, revokers)
}

/// Returns a session with a refresh token and no ID token.
async fn sign_in(shop: &Shop, issuer: &str) -> Session {
    let cache = &shop.here.cache;
    let account = AccountId::new(issuer, "ada").unwrap();
    let sign_in = SignIn::new(account, &cache.start_sign_in().unwrap());
    let session = cache.sign_in(sign_in).await.unwrap();
    let tokens = TokenSet::new("at").unwrap().with_refresh_token("rt");
    session.put(&api(), tokens).await.unwrap();
    session
}

async fn keep_id_token(session: &Session, issuer: &str, client: &str) {
    let claims = format!(r#"{{"iss":"{issuer}","sub":"ada","aud":"{client}","login_hint":"A"}}"#);
    let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let key = id_token_key().unwrap();
    session.put(&key, token.as_bytes()).await.unwrap();
}

/// Signs out, and waits for the revocation.
async fn log_out(shop: &Shop, session: &Session) -> Answer {
    let left = Browser::with_ticket(session).log_out(&shop.here).await;
    time::sleep(Duration::from_secs(60)).await;
    left
}

fn has_no_hint(left: &Answer) -> bool {
    !left.location().contains("_hint")
}

#[tokio::test(start_paused = true)]
async fn without_an_id_token_the_account_tells_whose_session_it_was() {
    let (shop, [here, there]) = with_two_providers().await;
    let session = sign_in(&shop, OTHER).await;
    let left = log_out(&shop, &session).await;
    assert!(left.location().starts_with("https://other.example/end?"));
    assert!(has_no_hint(&left));
    assert_eq!(there.revoked(), ["rt"]);
    assert!(here.revoked().is_empty(), "another provider's token");
}

#[tokio::test(start_paused = true)]
async fn an_id_token_of_nobody_here_goes_to_no_provider() {
    for id_token_of in ["https://evil.example", ISSUER] {
        let (shop, [here, _]) = with_two_providers().await;
        let session = sign_in(&shop, OTHER).await;
        keep_id_token(&session, id_token_of, "stall").await;
        let left = log_out(&shop, &session).await;
        assert!(left.location().starts_with("https://other.example/end?"));
        assert!(has_no_hint(&left), "{left:?}");
        assert!(here.revoked().is_empty(), "another provider's token");
    }
}

#[tokio::test(start_paused = true)]
async fn the_only_provider_gets_no_id_token_of_another() {
    let revoker = Revoker::default();
    let shop = Shop::with(|builder| builder.client(client(ISSUER, "shop", &revoker))).await;
    let session = sign_in(&shop, ISSUER).await;
    keep_id_token(&session, OTHER, "shop").await;
    let left = log_out(&shop, &session).await;
    assert!(has_no_hint(&left), "{left:?}");
    assert_eq!(revoker.revoked(), ["rt"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_clients_at_one_provider_only_an_id_token_tells_whose_refresh_token_it_is() {
    for tells in [false, true] {
        let (first, second) = (Revoker::default(), Revoker::default());
        let shop = Shop::with(|builder| {
            builder
                .client(client(OTHER, "shop", &Revoker::default()))
                .client(client(ISSUER, "shop", &first))
                .client(client(ISSUER, "stall", &second))
        })
        .await;
        let session = sign_in(&shop, ISSUER).await;
        if tells {
            keep_id_token(&session, ISSUER, "stall").await;
        }
        let left = log_out(&shop, &session).await;
        let left_by = left.at_provider()["client_id"].clone();
        assert!(first.revoked().is_empty());
        if tells {
            assert!(left_by == "stall" && !has_no_hint(&left), "{left:?}");
            assert_eq!(second.revoked(), ["rt"]);
        } else {
            assert!(left_by == "shop" && has_no_hint(&left), "{left:?}");
            assert!(second.revoked().is_empty());
        }
    }
}

//! A provider's messages through the router.

use axum::body::Body;
use http::{Request, StatusCode};
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutCause};
use tower::ServiceExt;

use crate::{
    good_tokens::{logout_token, session_revoked},
    shop::{ISSUER, Shop, me},
    signer::{Signer, jwks},
};

#[tokio::test]
async fn a_good_logout_token_and_a_good_event_end_the_session_that_they_name() {
    let signer = Signer::new("1", Algorithm::Es256);
    let keys = jwks(&[&signer]);
    let client = || {
        ClientRegistration::new(ISSUER, "shop")
            .algorithms([Algorithm::Es256])
            .jwks(keys.clone())
    };
    let shop = Shop::with(|builder| builder.client(client())).await;
    let (phone, laptop) = (
        shop.sign_in("ada", "s1").await,
        shop.sign_in("ada", "s2").await,
    );
    let cache = &shop.here.cache;
    let token = logout_token(&signer, cache, ISSUER, "s1");
    let event = session_revoked(&signer, cache, ISSUER, "s2");
    for (path, media, body, status, browser, cause) in [
        (
            "/backchannel-logout",
            "application/x-www-form-urlencoded",
            format!("logout_token={token}"),
            StatusCode::OK,
            &phone,
            SignOutCause::BackChannel,
        ),
        (
            "/security-events",
            "application/secevent+jwt",
            event,
            StatusCode::ACCEPTED,
            &laptop,
            SignOutCause::SharedSignals,
        ),
    ] {
        assert_eq!(me(browser, &shop.there).await, StatusCode::OK, "{path}");
        let message = Request::post(path)
            .header("content-type", media)
            .body(Body::from(body))
            .unwrap();
        let answer = shop.here.router.clone().oneshot(message).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(me(browser, &shop.there).await, StatusCode::UNAUTHORIZED);
        assert_eq!(shop.told().await.cause, cause);
    }
}

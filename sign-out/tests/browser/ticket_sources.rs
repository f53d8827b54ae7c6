//! Other ticket sources.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderValue, Request, StatusCode, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};
use token_cache_sign_out::{
    ExtensionTicketSource, FrontChannelParameters, SignOutRoutes, TicketCookie, TicketExtension,
    TicketSource,
};
use tower::ServiceExt;

use crate::shop::{Browser, Shop, begin, client, router};

/// A source that cannot be read.
struct Broken;

#[async_trait]
impl TicketSource for Broken {
    async fn ticket(&self, _: &Parts) -> Result<Option<Ticket>> {
        Err(Error::new(ErrorKind::Unavailable, "read the ticket"))
    }

    async fn remove(&self, _: &Parts) -> Option<HeaderValue> {
        panic!("nothing has ended")
    }
}

#[tokio::test]
async fn a_place_that_can_t_be_read_is_not_an_empty_one() {
    let nameless = || client().front_channel_parameters(FrontChannelParameters::None);
    let shop = Shop::with(|builder| builder.client(nameless()).ticket_source(Broken)).await;
    let browser = Browser::default();
    for answer in [
        browser.get(&shop.here, "/").await,
        browser.log_out(&shop.here).await,
        browser.frame(&shop.here, "/frontchannel-logout").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_slot_says_when_its_ticket_is_forgotten() {
    let shop = Shop::open().await;
    let routes = SignOutRoutes::builder(shop.here.cache.clone())
        .client(client())
        .ticket_source(ExtensionTicketSource::new())
        .build()
        .unwrap();
    let session = begin(&shop.here.cache, "ada", "s1").await;
    let slot = TicketExtension::new(Ok(Some(session.ticket().unwrap())));
    let mut request = Request::post("/logout").body(Body::empty()).unwrap();
    request.extensions_mut().insert(slot.clone());
    assert!(!slot.is_removed());
    let leaving = router(&routes).oneshot(request).await.unwrap();
    assert_eq!(leaving.status(), StatusCode::SEE_OTHER);
    assert!(slot.is_removed());
    assert!(
        shop.here
            .cache
            .resume(&session.ticket().unwrap())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn without_a_slot_nobody_is_called_signed_out() {
    let shop = Shop::with(|builder| {
        builder
            .client(client())
            .ticket_source(ExtensionTicketSource::new())
    })
    .await;
    let answer = Browser::default().log_out(&shop.here).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_ticket_cookie_lasts_as_long_as_it_is_told() {
    let shop = Shop::open().await;
    let session = begin(&shop.here.cache, "ada", "s1").await;
    let ticket = session.ticket().unwrap();
    let header = |cookie: TicketCookie| {
        let header = cookie.set(&ticket);
        assert!(header.is_sensitive());
        header.to_str().unwrap().to_owned()
    };
    let secure = header(TicketCookie::host("shop").unwrap());
    assert!(secure.starts_with("__Host-shop="), "{secure}");
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
        assert!(secure.contains(attribute), "{secure}");
    }
    assert!(!secure.contains("Max-Age"), "{secure}");
    let lasting = TicketCookie::host("shop")
        .unwrap()
        .max_age(Duration::from_secs(60));
    assert!(header(lasting).contains("; Max-Age=60"));
    let plain = header(TicketCookie::for_url("http://localhost:3000", "shop").unwrap());
    assert!(plain.starts_with("shop="), "{plain}");
    assert!(!plain.contains("Secure"), "{plain}");
    assert!(plain.contains("; HttpOnly"), "{plain}");
}

use token_cache_core::TokenCache;
use token_cache_sign_out::{Client, SignOutRoutes, TicketCookie};

use crate::shop::ISSUER;

#[tokio::test]
async fn a_return_address_in_clear_is_refused() {
    let cache = TokenCache::in_memory().await.unwrap();
    let back = |url: &str| {
        let client = Client::new(ISSUER, "shop").post_logout_redirect_uri(url);
        SignOutRoutes::builder(cache.clone()).client(client).build()
    };
    assert!(back("https://shop.example/signed-out").is_ok());
    assert!(back("http://127.0.0.1:3000/signed-out").is_ok());
    assert!(back("http://shop.example/signed-out").is_err());
    assert!(back("/signed-out").is_err());
}

#[test]
fn a_cookie_travels_in_clear_at_a_loopback_address_alone() {
    assert!(TicketCookie::at("https://shop.example", "shop").is_ok());
    for loopback in [
        "http://127.0.0.1:3000",
        "http://[::1]",
        "http://localhost:8080/app",
    ] {
        assert!(TicketCookie::at(loopback, "shop").is_ok(), "{loopback}");
    }
    for elsewhere in [
        "http://shop.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "shop.example",
    ] {
        let refused = TicketCookie::at(elsewhere, "shop").unwrap_err();
        assert!(refused.to_string().contains("URL"), "{refused}");
    }
}

#[test]
fn a_cookie_has_a_name_that_fits_a_header() {
    for name in ["", "a b", "a;b", "a=b", "\u{e4}", "a\r\nb"] {
        assert!(TicketCookie::host(name).is_err(), "{name:?}");
    }
}

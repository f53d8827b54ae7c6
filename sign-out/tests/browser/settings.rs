use std::time::Duration;

use token_cache_core::TokenCache;
use token_cache_sign_out::{
    ClientRegistration, FrontChannelParameters, SignOutRoutes, SignOutRoutesBuilder, TicketCookie,
    Timeouts,
};

use crate::shop::ISSUER;

#[tokio::test]
async fn a_return_address_in_clear_is_refused() {
    let cache = TokenCache::in_memory().await.unwrap();
    let back = |url: &str| {
        let client = ClientRegistration::new(ISSUER, "shop").post_logout_redirect_uri(url);
        SignOutRoutes::builder(cache.clone()).client(client).build()
    };
    assert!(back("https://shop.example/signed-out").is_ok());
    assert!(back("http://127.0.0.1:3000/signed-out").is_ok());
    assert!(back("http://shop.example/signed-out").is_err());
    assert!(back("/signed-out").is_err());
}

fn shop() -> ClientRegistration {
    ClientRegistration::new(ISSUER, "shop")
}

/// A name of the mistake, the mistake, and a part of the error.
type Wrong = (
    &'static str,
    fn(SignOutRoutesBuilder) -> SignOutRoutesBuilder,
    &'static str,
);

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of settings")]
async fn what_would_fail_later_is_refused_when_the_routes_are_built() {
    let cache = TokenCache::in_memory().await.unwrap();
    let table: [Wrong; 19] = [
        ("no client", |routes| routes, "no client"),
        (
            "one twice",
            |routes| routes.client(shop()).client(shop()),
            "twice",
        ),
        (
            "an issuer in clear",
            |routes| routes.client(ClientRegistration::new("http://id.example", "shop")),
            "https",
        ),
        (
            "an issuer that is no URL",
            |routes| routes.client(ClientRegistration::new("id.example", "shop")),
            "URL",
        ),
        (
            "an issuer with a space at its end",
            |routes| routes.client(ClientRegistration::new("https://id.example ", "shop")),
            "white space",
        ),
        (
            "an issuer with a line break",
            |routes| routes.client(ClientRegistration::new("https://id.example\n", "shop")),
            "white space",
        ),
        (
            "a client with a blank id",
            |routes| routes.client(ClientRegistration::new(ISSUER, " ")),
            "empty",
        ),
        (
            "a client without an id",
            |routes| routes.client(ClientRegistration::new(ISSUER, "")),
            "empty",
        ),
        (
            "no algorithm",
            |routes| routes.client(shop().algorithms([])),
            "algorithms",
        ),
        (
            "keys in clear",
            |routes| routes.client(shop().jwks_uri("http://id.example/keys")),
            "https",
        ),
        (
            "keys that are not a JWK Set",
            |routes| routes.client(shop().jwks("[]")),
            "JWK Set",
        ),
        (
            "an end of the session in clear",
            |routes| routes.client(shop().end_session_endpoint("http://id.example/end")),
            "https",
        ),
        (
            "a clock that may be anything",
            |routes| routes.client(shop().leeway(Duration::from_secs(301))),
            "leeway",
        ),
        (
            "a sid of either of two",
            |routes| {
                let client = shop().front_channel_parameters(FrontChannelParameters::SidOnly);
                routes
                    .client(client)
                    .client(ClientRegistration::new(ISSUER, "shop-app"))
            },
            "one client",
        ),
        (
            "another site after it",
            |routes| routes.client(shop()).after_sign_out("//evil.example"),
            "not a path",
        ),
        (
            "an address after it",
            |routes| {
                routes
                    .client(shop())
                    .after_sign_out("https://shop.example/")
            },
            "not a path",
        ),
        (
            "two headers after it",
            |routes| routes.client(shop()).after_sign_out("/\r\nx: y"),
            "not a path",
        ),
        (
            "longer than a provider waits",
            |routes| {
                let timeouts = Timeouts::default().sign_out(Duration::from_millis(1_400));
                routes.client(shop()).timeouts(timeouts)
            },
            "2s",
        ),
        (
            "invalid certificates",
            |routes| routes.client(shop()).root_certificates("none"),
            "root certificates",
        ),
    ];
    for (name, wrong, says) in table {
        let refused = wrong(SignOutRoutes::builder(cache.clone())).build();
        let refused = refused.expect_err(name).to_string();
        assert!(refused.contains(says), "{name}: {refused}");
    }
    let good = SignOutRoutes::builder(cache).client(shop());
    assert!(good.build().is_ok());
}

#[test]
fn a_cookie_travels_in_clear_at_a_loopback_address_alone() {
    assert!(TicketCookie::for_url("https://shop.example", "shop").is_ok());
    for loopback in [
        "http://127.0.0.1:3000",
        "http://[::1]",
        "http://localhost:8080/app",
    ] {
        assert!(
            TicketCookie::for_url(loopback, "shop").is_ok(),
            "{loopback}"
        );
    }
    for elsewhere in [
        "http://shop.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "shop.example",
    ] {
        let refused = TicketCookie::for_url(elsewhere, "shop").unwrap_err();
        assert!(refused.to_string().contains("URL"), "{refused}");
    }
}

#[test]
fn a_cookie_has_a_name_that_fits_a_header() {
    for name in ["", "a b", "a;b", "a=b", "\u{e4}", "a\r\nb"] {
        assert!(TicketCookie::host(name).is_err(), "{name:?}");
    }
}

//! A table of links, forms and images, and whether they can sign a user out.

use http::{Method, StatusCode};

use crate::shop::{Shop, me, request};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    SignsOut,
    Asks,
    Refuses,
}
use Then::{Asks, Refuses, SignsOut};

type Headers = &'static [(&'static str, &'static str)];

const TABLE: &[(&str, Method, Headers, Then)] = &[
    (
        "the app's own form",
        Method::POST,
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://shop.example"),
        ],
        SignsOut,
    ),
    (
        "a reload by hand",
        Method::POST,
        &[("sec-fetch-site", "none")],
        SignsOut,
    ),
    (
        "another site's form",
        Method::POST,
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
        Refuses,
    ),
    (
        "another site's form that claims our origin",
        Method::POST,
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://shop.example"),
        ],
        Refuses,
    ),
    (
        "a sibling domain's form",
        Method::POST,
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://blog.shop.example"),
        ],
        Refuses,
    ),
    (
        "a form, and a site that is said twice",
        Method::POST,
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        Refuses,
    ),
    (
        "a form, and a site that no browser says",
        Method::POST,
        &[("sec-fetch-site", "same-origin, none")],
        Refuses,
    ),
    (
        "the app's own form, of an old browser",
        Method::POST,
        &[("origin", "https://shop.example")],
        SignsOut,
    ),
    (
        "the app's own form, with its port",
        Method::POST,
        &[("origin", "https://shop.example:443")],
        SignsOut,
    ),
    (
        "the app's own form behind a proxy that changes the host",
        Method::POST,
        &[
            ("origin", "https://shop.example"),
            ("host", "10.0.0.7:8080"),
        ],
        SignsOut,
    ),
    (
        "an old browser that says nothing",
        Method::POST,
        &[],
        SignsOut,
    ),
    (
        "another site's form, of an old browser",
        Method::POST,
        &[("origin", "https://evil.example")],
        Refuses,
    ),
    (
        "another port's form, of an old browser",
        Method::POST,
        &[("origin", "https://shop.example:8443")],
        Refuses,
    ),
    (
        "a page of plain HTTP at our host, of an old browser",
        Method::POST,
        &[("origin", "http://shop.example")],
        Refuses,
    ),
    (
        "a page of plain HTTP at our host and port, of an old browser",
        Method::POST,
        &[
            ("origin", "http://shop.example"),
            ("host", "shop.example:80"),
        ],
        Refuses,
    ),
    (
        "a page of plain HTTP at a host of ours that no setting names",
        Method::POST,
        &[
            ("origin", "http://www.shop.example"),
            ("host", "www.shop.example"),
        ],
        Refuses,
    ),
    (
        "our own page at a host of ours that no setting names",
        Method::POST,
        &[
            ("origin", "https://www.shop.example"),
            ("host", "www.shop.example"),
        ],
        SignsOut,
    ),
    (
        "a link on a page of plain HTTP at our host, of an old browser",
        Method::GET,
        &[("referer", "http://shop.example/account")],
        Asks,
    ),
    (
        "a site whose name begins with ours",
        Method::POST,
        &[("origin", "https://shop.example.evil.example")],
        Refuses,
    ),
    (
        "our name as a user of another site",
        Method::POST,
        &[("origin", "https://shop.example@evil.example")],
        Refuses,
    ),
    (
        "a sandboxed frame",
        Method::POST,
        &[("origin", "null")],
        Refuses,
    ),
    (
        "an extension's page",
        Method::POST,
        &[("origin", "moz-extension://shop.example")],
        Refuses,
    ),
    (
        "an origin that is said twice",
        Method::POST,
        &[
            ("origin", "https://shop.example"),
            ("origin", "https://evil.example"),
        ],
        Refuses,
    ),
    (
        "a link on the app's own page",
        Method::GET,
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "document"),
        ],
        SignsOut,
    ),
    (
        "the address bar",
        Method::GET,
        &[("sec-fetch-site", "none"), ("sec-fetch-dest", "document")],
        SignsOut,
    ),
    (
        "the address bar, before the user is done typing",
        Method::GET,
        &[
            ("sec-fetch-site", "none"),
            ("sec-fetch-dest", "document"),
            ("sec-purpose", "prefetch;prerender"),
        ],
        Asks,
    ),
    (
        "a link that is fetched ahead",
        Method::GET,
        &[("sec-fetch-site", "same-origin"), ("purpose", "prefetch")],
        Asks,
    ),
    (
        "a link that an old browser fetches ahead",
        Method::GET,
        &[("referer", "https://shop.example/"), ("x-moz", "prefetch")],
        Asks,
    ),
    (
        "another site's link",
        Method::GET,
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "document"),
        ],
        Asks,
    ),
    (
        "a sibling domain's link",
        Method::GET,
        &[
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-dest", "document"),
        ],
        Asks,
    ),
    (
        "an image in another site's page",
        Method::GET,
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "image"),
        ],
        Asks,
    ),
    (
        "an image in a comment on the app's own page",
        Method::GET,
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "image"),
        ],
        Asks,
    ),
    (
        "a frame in the app's own page",
        Method::GET,
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "iframe"),
        ],
        Asks,
    ),
    (
        "a link on the app's own page, of an old browser",
        Method::GET,
        &[("referer", "https://shop.example/account?tab=1")],
        SignsOut,
    ),
    (
        "another site's link, of an old browser",
        Method::GET,
        &[("referer", "https://evil.example/https://shop.example/")],
        Asks,
    ),
    (
        "a link without a referrer, of an old browser",
        Method::GET,
        &[],
        Asks,
    ),
    (
        "a link on another site that names us as its query",
        Method::GET,
        &[("referer", "https://evil.example/?https://shop.example/")],
        Asks,
    ),
    (
        "a look ahead",
        Method::HEAD,
        &[("sec-fetch-site", "none")],
        Asks,
    ),
];

#[tokio::test]
async fn nobody_but_the_app_and_the_user_signs_the_user_out() {
    let shop = Shop::open().await;
    for (who, method, headers, then) in TABLE {
        let ada = shop.sign_in("ada", "s1").await;
        let mut asked = request(method, "/logout");
        for (name, value) in *headers {
            asked = asked.header(*name, *value);
        }
        let answer = ada.send(&shop.here, asked).await;
        let (status, lives) = match then {
            SignsOut => (StatusCode::SEE_OTHER, false),
            Asks => (StatusCode::OK, true),
            Refuses => (StatusCode::FORBIDDEN, true),
        };
        assert_eq!(answer.status, status, "{who}");
        assert_eq!(ada.holds_ticket(), lives, "{who}");
        assert_eq!(me(&ada, &shop.here).await == StatusCode::OK, lives, "{who}");
        if *then == Asks && *method == Method::GET {
            assert!(answer.body.contains("<form method=\"post\">"), "{who}");
        }
    }
}

#[tokio::test]
async fn the_page_that_asks_can_be_framed_by_nobody_and_runs_nothing() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let page = ada.get(&shop.here, "/logout?%3Cscript%3E").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    // Chromium would apply it to the redirect to the provider.
    assert!(!policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert!(!page.body.contains("script"), "{}", page.body);
}

#[tokio::test]
async fn at_a_loopback_address_the_host_with_its_port_is_ours() {
    let shop = Shop::open().await;
    for (host, origin, status) in [
        (
            "127.0.0.1:3000",
            "http://127.0.0.1:3000",
            StatusCode::SEE_OTHER,
        ),
        (
            "127.0.0.1:3000",
            "http://127.0.0.1:3001",
            StatusCode::FORBIDDEN,
        ),
        ("[::1]:3000", "http://[::1]:3000", StatusCode::SEE_OTHER),
        ("localhost:80", "http://localhost", StatusCode::SEE_OTHER),
        (
            "LOCALHOST:3000",
            "http://localhost:3000",
            StatusCode::SEE_OTHER,
        ),
    ] {
        let ada = shop.sign_in("ada", "s1").await;
        let asked = request(&Method::POST, "/logout")
            .header("host", host)
            .header("origin", origin);
        assert_eq!(
            ada.send(&shop.here, asked).await.status,
            status,
            "{host} {origin}"
        );
    }
}

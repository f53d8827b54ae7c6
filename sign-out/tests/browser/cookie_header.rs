//! The `Cookie` header as bytes, over a socket. The content of other cookies does not matter, and an unreadable cookie
//! is not absent.

use axum::{Router, routing::get};
use http::{HeaderMap, header};
use token_cache_core::TokenCache;
use token_cache_sign_out::{CookieFilter, StateCookies};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::shop::{COOKIE, Shop, begin, router};

/// A server at a socket.
struct At(std::net::SocketAddr);

impl At {
    async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self(address)
    }

    /// Returns the response to a request of the app's own page, or of a frame, with these cookies.
    async fn ask(&self, line: &str, cookies: &[Vec<u8>]) -> String {
        let mut request = format!(
            "{line} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncontent-length: 0\r\n"
        )
        .into_bytes();
        let site = if line.contains("frontchannel") {
            "sec-fetch-site: cross-site\r\nsec-fetch-dest: iframe\r\n"
        } else {
            "sec-fetch-site: same-origin\r\n"
        };
        request.extend_from_slice(site.as_bytes());
        for cookie in cookies {
            request.extend_from_slice(b"cookie: ");
            request.extend_from_slice(cookie);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let mut socket = TcpStream::connect(self.0).await.unwrap();
        socket.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

async fn ticket(cache: &TokenCache, subject: &str) -> String {
    let session = begin(cache, subject, subject).await;
    session.ticket().unwrap().to_text()
}

/// Returns this ticket among other cookies with bytes that are not text.
fn beside_others(ticket: &str) -> Vec<Vec<Vec<u8>>> {
    let own = format!("{COOKIE}={ticket}").into_bytes();
    let of = |parts: &[&[u8]]| parts.concat();
    vec![
        vec![own.clone()],
        vec![of(&[b"city=Z\xfcrich; ", &own])],
        vec![of(&[&own, b";city=Z\xc3\xbcrich"])],
        vec![b"city=\xff\xfe".to_vec(), own.clone()],
        vec![own.clone(), b"\xe2\x80\x80=1; =; ;x".to_vec()],
        vec![of(&[b"a=1;\t", &own, b"\t; b=2"])],
        vec![own.clone(), own],
    ]
}

#[tokio::test]
async fn whatever_bytes_other_cookies_hold_a_sign_out_happens_or_is_not_reported() {
    let shop = Shop::nameless().await;
    let here = At::serve(shop.here.router.clone()).await;
    let there = At::serve(shop.there.router.clone()).await;
    let mut cases = beside_others("").len();
    while cases > 0 {
        cases -= 1;
        for line in ["POST /logout", "GET /frontchannel-logout"] {
            let ada = shop.sign_in("ada", "s1").await;
            let cookies = &beside_others(&ada.cookie(COOKIE).unwrap())[cases];
            let me = there.ask("GET /me", cookies).await;
            assert!(me.starts_with("HTTP/1.1 200"), "{cookies:?}: {me}");
            let page = there.ask("GET /", cookies).await;
            assert!(page.ends_with("somebody"), "{cookies:?}: {page}");
            let ended = here.ask(line, cookies).await;
            assert!(ended.contains("__Host-shop=; "), "{cookies:?}: {ended}");
            let me = there.ask("GET /me", cookies).await;
            assert!(me.starts_with("HTTP/1.1 401"), "{line} {cookies:?}: {me}");
        }
    }
}

#[tokio::test]
async fn no_other_spelling_passes_for_the_tickets_cookie() {
    let shop = Shop::open().await;
    let mallory = ticket(&shop.here.cache, "mallory").await;
    for app in [
        shop.here.router.clone(),
        shop.here.router.clone().layer(CookieFilter::new()),
    ] {
        let here = At::serve(app).await;
        for name in [
            &b"\xe2\x80\x80__Host-shop"[..],
            b"%5F%5FHost-shop",
            b"__Hos%74-shop",
            b"\xa0__Host-shop",
        ] {
            let cookie = [name, b"=", mallory.as_bytes()].concat();
            let page = here.ask("GET /", &[cookie]).await;
            assert!(page.ends_with("anybody"), "{name:?}: {page}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_ticket_is_not_an_absent_one() {
    let shop = Shop::nameless().await;
    for app in [
        shop.here.router.clone(),
        shop.here.router.clone().layer(CookieFilter::new()),
    ] {
        let here = At::serve(app).await;
        // Invalid bytes cannot be a ticket, so the ticket belongs to no session.
        let invalid = [b"city=1; __Host-shop=\xfc".to_vec()];
        let refused = here.ask("GET /", &invalid).await;
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
        assert!(refused.contains("__Host-shop=; "), "{refused}");

        // It is unknown which of two different cookies counts.
        let (ada, bob) = (
            ticket(&shop.here.cache, "ada").await,
            ticket(&shop.here.cache, "bob").await,
        );
        let both = [format!("{COOKIE}={ada}; {COOKIE}={bob}").into_bytes()];
        for line in ["GET /", "GET /me", "GET /frontchannel-logout"] {
            let unknown = here.ask(line, &both).await;
            assert!(unknown.starts_with("HTTP/1.1 503"), "{line}: {unknown}");
            assert!(!unknown.contains("set-cookie"), "{line}: {unknown}");
        }
        let forgotten = here.ask("POST /logout", &both).await;
        assert!(forgotten.starts_with("HTTP/1.1 503"), "{forgotten}");
        assert!(
            forgotten.contains("could not end the session"),
            "{forgotten}"
        );
        for ticket in [ada, bob] {
            let ticket = ticket.parse().unwrap();
            assert!(shop.here.cache.resume(&ticket).await.is_ok());
        }
    }
}

#[tokio::test]
async fn the_state_of_a_sign_out_is_read_beside_any_other_cookie() {
    let shop = Shop::open().await;
    let here = At::serve(shop.here.router.clone()).await;
    let leaving = here.ask("POST /logout", &[]).await;
    let cookie = leaving.split("set-cookie: ").nth(1).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let (name, _) = cookie.split_once('=').unwrap();
    let state = name.strip_prefix("__Host-signing-out-").unwrap();
    let cookies = [
        format!("a=b; {cookie}; city=").into_bytes(),
        b"c=\xfc".to_vec(),
    ];
    let line = format!("GET /signed-out?state={state}");
    let back = here.ask(&line, &cookies).await;
    assert!(back.contains("location: /bye"), "{back}");
}

#[tokio::test]
async fn behind_the_filter_every_jar_finds_what_it_can_read() {
    let shop = Shop::open().await;
    let signing_in = StateCookies::for_url("https://shop.example", "signing-in").unwrap();
    let text = |headers: HeaderMap| async move {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let lines: Vec<_> = lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect();
        lines.join("|")
    };
    let read = move |request: http::request::Parts| async move {
        match signing_in.read(&request, "s") {
            Ok(value) => value.unwrap_or("absent").to_owned(),
            Err(_) => "unreadable".to_owned(),
        }
    };
    let app = router(&shop.here.routes)
        .route("/cookies", get(text))
        .route("/callback", get(read))
        .layer(CookieFilter::new());
    let here = At::serve(app).await;
    let cookies = [
        b"city=Z\xfcrich; theme=dark; %5F%5FHost-session=evil; a=1".to_vec(),
        b"\xff=1".to_vec(),
    ];
    let kept = here.ask("GET /cookies", &cookies).await;
    assert!(kept.ends_with("\r\n\r\ntheme=dark; a=1"), "{kept}");
    for (cookie, value) in [
        (&b"__Host-signing-in-s=1.value; city=\xfc"[..], "value"),
        (b"__Host-signing-in-s=\xfc", "unreadable"),
        (b"__Host-signing-in-t=1.value", "absent"),
    ] {
        let answer = here.ask("GET /callback", &[cookie.to_vec()]).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{value}")), "{answer}");
    }
}

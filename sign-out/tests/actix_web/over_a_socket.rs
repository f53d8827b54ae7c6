use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

use actix_web::{App, HttpRequest, HttpServer, http::header::COOKIE, rt, web};
use http::{Request, Uri};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use token_cache_sign_out::{
    StateCookies,
    actix::{CookieFilter, parts},
};

use crate::shop::{Shop, app, cookie, pages};

#[actix_web::test]
async fn signed_out_over_tcp() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new(move || app(&sign_out, sign_out.session_check()))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    let serving = rt::spawn(server);

    let ada = shop.sign_in("s1").await;
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let ask = async |method: &str, path: &str| {
        let uri: Uri = format!("http://{address}{path}").parse().unwrap();
        let (name, value) = cookie(&ada);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(name, value)
            .header("sec-fetch-site", "same-origin")
            .body(Empty::new())
            .unwrap();
        client.request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask("GET", "/me").await, 200);
    assert_eq!(ask("HEAD", "/logout").await, 200);
    assert_eq!(ask("GET", "/me").await, 200);
    assert_eq!(ask("POST", "/logout").await, 303);
    assert_eq!(ask("GET", "/me").await, 401);
    handle.stop(false).await;
    serving.await.unwrap().unwrap();
}

/// Returns the response to a request of the app's own page with these bytes as cookies.
async fn ask(address: SocketAddr, line: &'static str, cookies: Vec<u8>) -> String {
    let asked = rt::task::spawn_blocking(move || {
        let mut request = format!(
            "{line} HTTP/1.1\r\nhost: shop.example\r\nsec-fetch-site: same-origin\r\nsec-fetch-mode: navigate\r\n\
             connection: close\r\ncontent-length: 0\r\ncookie: "
        )
        .into_bytes();
        request.extend_from_slice(&cookies);
        request.extend_from_slice(b"\r\n\r\n");
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(&request).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    asked.await.unwrap()
}

/// The routes in a scope, with and without the cookie filter around the app.
#[actix_web::test]
async fn whatever_bytes_other_cookies_hold_a_sign_out_happens_or_is_not_reported() {
    for is_filtered in [false, true] {
        let shop = Shop::open().await;
        let sign_out = shop.sign_out();
        let served = sign_out.clone();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = HttpServer::new(move || {
            let layer = served.session_check().redirect_to("/app/login").unwrap();
            let signing_in = StateCookies::for_url("https://shop.example", "signing-in").unwrap();
            let callback = move |request: HttpRequest| {
                let value = match signing_in.read(&parts(&request).unwrap(), "s") {
                    Ok(value) => value.unwrap_or("absent").to_owned(),
                    Err(_) => "unreadable".to_owned(),
                };
                async { value }
            };
            let cookies = |request: HttpRequest| async move {
                let lines = request.headers().get_all(COOKIE);
                let lines: Vec<_> = lines
                    .map(|line| line.as_bytes().escape_ascii().to_string())
                    .collect();
                lines.join("|")
            };
            App::new()
                .service(
                    web::scope("/app")
                        .configure(served.routes())
                        .configure(pages)
                        .route("/cookies", web::get().to(cookies))
                        .route("/callback", web::get().to(callback)),
                )
                .wrap(layer)
                .wrap(actix_web::middleware::Condition::new(
                    is_filtered,
                    CookieFilter::new(),
                ))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        let serving = rt::spawn(server);

        let ada = shop.sign_in("s1").await;
        let (_, own) = cookie(&ada);
        for others in [&b"city=Z\xfcrich; "[..], b"\xff=\xe2\x80\x80;"] {
            let me = ask(address, "GET /app/me", [others, own.as_bytes()].concat()).await;
            assert!(me.starts_with("HTTP/1.1 200"), "{me}");
        }
        for name in [&b"\xe2\x80\x80"[..], b"%5F%5FHost-shop=x; \xa0"] {
            let page = ask(address, "GET /app/", [name, own.as_bytes()].concat()).await;
            assert!(!page.contains("somebody"), "{page}");
        }
        for (cookie, value) in [
            (&b"__Host-signing-in-s=1.value; city=\xfc"[..], "value"),
            (b"__Host-signing-in-s=\xfc", "unreadable"),
            (b"__Host-signing-in-t=1.value", "absent"),
        ] {
            let answer = ask(address, "GET /app/callback", cookie.to_vec()).await;
            assert!(answer.ends_with(value), "{answer}");
        }
        let sent = b"a=1; city=\xfc; %5F%5FHost-x=evil".to_vec();
        let kept = ask(address, "GET /app/cookies", sent).await;
        assert_eq!(kept.ends_with("\r\n\r\na=1"), is_filtered, "{kept}");

        let invalid = ask(address, "GET /app/me", b"__Host-shop=\xfc".to_vec()).await;
        assert!(invalid.starts_with("HTTP/1.1 303"), "{invalid}");
        assert!(invalid.contains("location: /app/login"), "{invalid}");
        let two = format!("{own}; __Host-shop=x").into_bytes();
        let unknown = ask(address, "GET /app/me", two.clone()).await;
        assert!(unknown.starts_with("HTTP/1.1 503"), "{unknown}");
        assert!(unknown.contains("/app/login"), "{unknown}");
        let forgotten = ask(address, "POST /app/logout", two).await;
        assert!(
            forgotten.contains("could not end the session"),
            "{forgotten}"
        );
        assert!(shop.lives(&ada).await);

        let both = [b"city=Z\xfcrich; ", own.as_bytes()].concat();
        let leaving = ask(address, "POST /app/logout", both.clone()).await;
        assert!(leaving.starts_with("HTTP/1.1 303"), "{leaving}");
        assert!(leaving.contains("https://id.example/end?"), "{leaving}");
        assert!(!shop.lives(&ada).await);
        // The browser still has the ticket of an ended session. The routes respond in a scope, too.
        let again = ask(address, "POST /app/logout", both.clone()).await;
        assert!(again.contains("https://id.example/end?"), "{again}");
        let login = ask(address, "GET /app/login", both).await;
        assert!(login.ends_with("welcome"), "{login}");
        handle.stop(false).await;
        serving.await.unwrap().unwrap();
    }
}

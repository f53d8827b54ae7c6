use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::net::TcpListener;

use crate::shop::{COOKIE, Shop};

/// The same over TCP, with a real server and a real client.
#[tokio::test]
async fn signed_out_over_one_server_and_refused_by_the_other() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let cookie = format!("{COOKIE}={}", ada.cookie(COOKIE).unwrap());
    let mut addresses = Vec::new();
    for server in [&shop.here, &shop.there] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        let router = server.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let ask = async |method: &str, server: usize, path: &str| {
        let uri: Uri = format!("http://{}{path}", addresses[server])
            .parse()
            .unwrap();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin")
            .body(Empty::new())
            .unwrap();
        client.request(request).await.unwrap().status()
    };
    assert_eq!(ask("GET", 0, "/me").await, StatusCode::OK);
    assert_eq!(ask("GET", 1, "/me").await, StatusCode::OK);
    assert_eq!(ask("HEAD", 0, "/logout").await, StatusCode::OK);
    assert_eq!(ask("GET", 0, "/me").await, StatusCode::OK);
    assert_eq!(ask("POST", 1, "/logout").await, StatusCode::SEE_OTHER);
    assert_eq!(ask("GET", 0, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("GET", 1, "/me").await, StatusCode::UNAUTHORIZED);
}

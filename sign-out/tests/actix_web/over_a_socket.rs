use std::net::{Ipv4Addr, TcpListener};

use actix_web::{HttpServer, rt};
use http::{Request, Uri};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::shop::{Shop, app, cookie};

#[actix_web::test]
async fn signed_out_over_tcp() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new(move || app(&sign_out, sign_out.refuse_signed_out()))
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

//! A proxy of the environment must not see plain HTTP requests.

use std::env;
use std::process::Command;

use serde_json::json;
use token_cache_core::{ExposeSecret, TokenSource};
use token_cache_providers::{CodeExchange, OnBehalfOfGrant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use super::server::{Answer, Server};
use super::{SENT_AT, builder, request};

const CHILD: &str = "TOKEN_CACHE_TEST_PROXY_CHILD";

/// Sends every request of this crate, in a process whose variables name a proxy that responds with its own tokens.
#[tokio::test]
async fn plain_http_uses_no_proxy_of_the_environment() {
    if env::var_os(CHILD).is_some() {
        return every_request().await;
    }
    let proxy =
        Server::start(|_| Answer::json(200, &json!({"access_token": "of the proxy"}))).await;
    let test = "proxies::plain_http_uses_no_proxy_of_the_environment";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        for name in [name.to_owned(), name.to_lowercase()] {
            child.env(name, proxy.url("/").as_str());
        }
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || child.output().unwrap());
    let output = output.await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
    assert!(proxy.received().is_empty(), "{:?}", proxy.received());
}

async fn every_request() {
    let body = json!({"access_token": "of the provider"});
    let server = Server::start(move |_| Answer::json(200, &body)).await;
    let provider = builder(&server).build().unwrap();
    let code = CodeExchange::new("code", "https://shop.example/callback");
    for answered in [
        provider.refresh(request()).await,
        provider.client_credentials().refresh(request()).await,
        provider
            .on_behalf_of("assertion", OnBehalfOfGrant::JwtBearer)
            .refresh(request())
            .await,
        provider.exchange_code(code, SENT_AT).await,
    ] {
        let tokens = answered.unwrap();
        assert_eq!(tokens.access_token().expose_secret(), "of the provider");
    }
    provider.revoke("rt".into()).await.unwrap();
    assert_eq!(server.received().len(), 5);
}

/// HTTPS uses the configured proxy, which opens a tunnel and sees only the host.
#[tokio::test]
async fn https_is_tunnelled_through_the_proxy_of_the_environment() {
    const URL: &str = "https://provider.invalid/token";
    if env::var_os(CHILD).is_some() {
        let provider = token_cache_providers::Provider::builder(URL, "shop");
        provider
            .build()
            .unwrap()
            .refresh(request())
            .await
            .unwrap_err();
        return;
    }
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", proxy.local_addr().unwrap());
    let test = "proxies::https_is_tunnelled_through_the_proxy_of_the_environment";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]).env(CHILD, "1");
    child
        .env("HTTPS_PROXY", &address)
        .env("https_proxy", &address);
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let mut child = tokio::task::spawn_blocking(move || child.output().unwrap());
    let stream = tokio::select! {
        accepted = proxy.accept() => accepted.unwrap().0,
        output = &mut child => panic!("the proxy was not asked: {output:?}"),
    };
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    assert!(line.starts_with("CONNECT provider.invalid:443 "), "{line}");
    assert!(child.await.unwrap().status.success());
}

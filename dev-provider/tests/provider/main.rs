//! The provider over real sockets, as apps and browsers speak to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod app;
mod authorization;
mod back_channel;
mod browser;
mod code_flow;
mod end_session;
mod faults;
mod front_channel;
mod loopback_apps;
mod program;
mod surface;
mod token_endpoint;

use std::net::TcpListener;

use token_cache_dev_provider::{DevelopmentProvider, RegisteredClient, Settings};

use self::{app::App, browser::Browser};

const CALLBACK: &str = "http://127.0.0.1:9/callback";
const SIGNED_OUT: &str = "http://127.0.0.1:9/signed-out";

/// A provider, an app that is registered there, and a browser.
struct World {
    provider: DevelopmentProvider,
    app: App,
    browser: Browser,
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn shop() -> RegisteredClient {
    RegisteredClient {
        id: "shop".to_owned(),
        secret: Some("hunter2 & more".to_owned()),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: vec![SIGNED_OUT.to_owned()],
        ..RegisteredClient::default()
    }
}

fn world() -> World {
    world_of(vec![shop()], registered_alone())
}

/// The settings without apps that are not registered.
fn registered_alone() -> Settings {
    Settings {
        loopback_apps: false,
        ..Settings::default()
    }
}

/// The app is the first of the clients.
fn world_of(clients: Vec<RegisteredClient>, settings: Settings) -> World {
    let app = clients.first().unwrap().clone();
    let provider = DevelopmentProvider::start(listener(), clients, settings).unwrap();
    let app = App::new(&provider, app);
    World {
        provider,
        app,
        browser: Browser::default(),
    }
}

//! The web app, over real sockets, as browsers see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod browser;
mod late_answers;
mod machine_interface;
mod near_cache;
mod page;
mod sign_in;
mod sign_out;
mod watcher;

use token_cache_demo::{ServeOptions, Web};

/// Three servers on one memory store, with a development provider.
async fn three_servers() -> Web {
    let web = Web::start(ServeOptions::in_memory(3)).await.unwrap();
    assert_eq!(web.origins().len(), 3);
    web
}

/// An address on server A, B or C.
fn at(web: &Web, server: char, path: &str) -> String {
    let index = server as usize - 'A' as usize;
    format!("{}{path}", web.origins()[index])
}

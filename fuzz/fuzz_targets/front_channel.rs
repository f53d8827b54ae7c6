//! Handles front-channel logout requests with random queries.
#![no_main]

use std::sync::LazyLock;

use http::{Request, header};
use libfuzzer_sys::fuzz_target;
use token_cache_core::{AccountId, SignIn, TokenCache};
use token_cache_sign_out::{ClientRegistration, SignOutRoutes};

struct App {
    runtime: tokio::runtime::Runtime,
    routes: SignOutRoutes,
    /// The cookie of a signed-in browser.
    cookie: String,
}

static APP: LazyLock<App> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (cache, ticket) = runtime.block_on(async {
        let cache = TokenCache::in_memory()
            .await
            .expect("a cache of this process");
        let started = cache.start_sign_in().expect("a moment");
        let ada = AccountId::new("https://id.example", "ada").expect("an account");
        let sign_in = SignIn::new(ada, &started).sid("08a5019c").expect("a sid");
        let session = cache.sign_in(sign_in).await.expect("a session");
        (cache, session.ticket().expect("a ticket"))
    });
    let routes = SignOutRoutes::builder(cache)
        .client(ClientRegistration::new("https://id.example", "shop").jwks(r#"{"keys":[]}"#))
        .build()
        .expect("the settings are good");
    App {
        runtime,
        routes,
        cookie: format!("__Host-ticket={}", ticket.to_text()),
    }
});

fuzz_target!(|query: &str| {
    let request = Request::get(format!("/frontchannel-logout?{query}"))
        .header(header::COOKIE, &APP.cookie)
        .body(());
    let Ok(request) = request else {
        return;
    };
    let (head, ()) = request.into_parts();
    let answer = APP.runtime.block_on(APP.routes.front_channel_logout(&head));
    assert!(!answer.status().is_server_error(), "{answer:?}");
});

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
        .expect("the runtime starts");
    let (cache, ticket) = runtime.block_on(async {
        let cache = TokenCache::in_memory()
            .await
            .expect("an in-memory cache opens");
        let started = cache.start_sign_in().expect("a sign-in starts");
        let ada = AccountId::new("https://id.example", "ada").expect("the account is valid");
        let sign_in = SignIn::new(ada, &started)
            .sid("08a5019c")
            .expect("the `sid` is valid");
        let session = cache.sign_in(sign_in).await.expect("the sign-in succeeds");
        (cache, session.ticket().expect("the session has a ticket"))
    });
    let routes = SignOutRoutes::builder(cache)
        .client(ClientRegistration::new("https://id.example", "shop").jwks(r#"{"keys":[]}"#))
        .build()
        .expect("the settings are valid");
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

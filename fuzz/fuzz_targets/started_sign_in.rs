//! Parses a started sign-in that a browser sends.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use token_cache_core::{AccountId, SignIn, StartedSignIn, TokenCache};
use tokio::runtime::Runtime;

static CACHE: LazyLock<(Runtime, TokenCache)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("the runtime starts");
    let cache = runtime
        .block_on(TokenCache::in_memory())
        .expect("an in-memory cache opens");
    (runtime, cache)
});

fuzz_target!(|text: &str| {
    let Ok(started) = text.parse::<StartedSignIn>() else {
        return;
    };
    let ada = AccountId::custom("fuzz", "ada").expect("the account is valid");
    let (runtime, cache) = &*CACHE;
    let sign_in = cache.sign_in(SignIn::new(ada, &started));
    assert!(
        runtime.block_on(sign_in).is_err(),
        "it was not encrypted with the key"
    );
});

//! Parses a ticket that a browser sends.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use token_cache_core::{Ticket, TokenCache};

static CACHE: LazyLock<(tokio::runtime::Runtime, TokenCache)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    let cache = runtime
        .block_on(TokenCache::in_memory())
        .expect("an in-memory cache opens");
    (runtime, cache)
});

fuzz_target!(|text: &str| {
    let Ok(ticket) = text.parse::<Ticket>() else {
        return;
    };
    assert_eq!(
        ticket.to_text().parse::<Ticket>().ok(),
        Some(ticket.clone())
    );
    assert!(
        CACHE.1.resume_unverified(&ticket).is_err(),
        "it was not encrypted with the key"
    );
});

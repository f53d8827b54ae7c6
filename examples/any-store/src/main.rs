//! The same app on every store. It has a URL, and does not depend on a backend.
//!
//! ```sh
//! cargo run -p token-cache-example-any-store -- memory:
//! cargo run -p token-cache-example-any-store --features redis -- redis://127.0.0.1/
//! cargo run -p token-cache-example-any-store --features dynamodb -- dynamodb://token-cache?region=eu-central-1
//! ```
//!
//! Every store but `memory:` needs `TOKEN_CACHE_SECRET`. The program fails unless a sign-out on one server is final on another.

use std::io::Write;

use token_cache::{AccountId, EntryKey, SignIn, TokenCache, TokenSet};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::args()
        .nth(1)
        .ok_or("no store URL: pass it as the first argument")?;
    let here = token_cache::open(&url).await?;
    // The handles of a store in this process share their data. A store on a server is shared through its URL.
    let there = if url == "memory:" {
        here.clone()
    } else {
        token_cache::open(&url).await?
    };
    sign_out_there_is_final_here(&here, &there).await?;
    writeln!(
        std::io::stdout(),
        "ok: on {}, the sign-out is final",
        here.store()
    )?;
    Ok(())
}

async fn sign_out_there_is_final_here(
    here: &TokenCache,
    there: &TokenCache,
) -> Result<(), Failure> {
    // A user of this run only. On a shared store, another run's sign-out would end this run's sessions.
    let account = AccountId::custom("example", format!("grace-{}", std::process::id()))?;
    let api = EntryKey::resource("https://api.example")?;

    let started = here.start_sign_in()?;
    let session = here.sign_in(SignIn::new(account.clone(), &started)).await?;
    session
        .put(&api, TokenSet::new("at-1")?.with_refresh_token("rt-1"))
        .await?;

    let elsewhere = there.resume(&session.ticket()?).await?;
    let read = elsewhere.get(&api).await?;
    ensure(read.is_some(), "the other server does not find the tokens")?;

    let report = there.sign_out_account(&account).await?;
    ensure(report.ended, "the sign-out found no session to end")?;

    let late = session.put(&api, TokenSet::new("at-2")?).await;
    ensure(
        late.is_err_and(|error| error.is_signed_out()),
        "a late write was accepted",
    )?;
    let late = session.get(&api).await;
    ensure(
        late.is_err_and(|error| error.is_signed_out()),
        "a read was not refused",
    )
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

//! An app on `token-cache-core` and one backend crate, without the facade. One user signs in, uses tokens and signs
//! out. It fails unless the sign-out is final. Its two programs use different stores.

use std::io::Write;

use token_cache_core::{
    AccountId, EntryKey, PutMode, Secret, SignIn, TokenCache, TokenSet, TokenStore,
};

/// The error of the app.
pub type Failure = Box<dyn std::error::Error>;

/// Runs the app on a store, with the secret of `TOKEN_CACHE_SECRET`.
///
/// # Errors
/// The error of the store, or an error if the sign-out is not final.
pub async fn run(store: impl TokenStore) -> Result<(), Failure> {
    let cache = TokenCache::open(store, Secret::from_env()?).await?;
    sign_out_is_final(&cache).await?;
    let store = cache.store();
    writeln!(std::io::stdout(), "ok: on {store}, the sign-out is final")?;
    Ok(())
}

/// Returns the URL of the store, the program's argument.
///
/// # Errors
/// An error if the argument is missing.
pub fn url() -> Result<String, Failure> {
    Ok(std::env::args()
        .nth(1)
        .ok_or("no store URL: pass it as the first argument")?)
}

async fn sign_out_is_final(cache: &TokenCache) -> Result<(), Failure> {
    // A user of this run only. On a shared store, another run's sign-out would end this run's sessions.
    let account = AccountId::custom("example", format!("ada-{}", std::process::id()))?;
    let api = EntryKey::resource("https://api.example")?;

    let started = cache.start_sign_in()?;
    let session = cache
        .sign_in(SignIn::new(account.clone(), &started))
        .await?;
    let tokens = TokenSet::new("at-1")?.with_refresh_token("rt-1");
    session.put(&api, &tokens).await?;

    let session = cache.resume(&session.ticket()?).await?;
    let read = session.get(&api).await?.ok_or("the tokens are missing")?;
    ensure(
        read.tokens()?.refresh_token().is_some(),
        "the tokens differ from those that were put",
    )?;

    let report = cache.sign_out_account(&account).await?;
    ensure(report.ended, "the sign-out found no session to end")?;

    let mode = PutMode::Update(read.version());
    let late = session.put_if(&api, TokenSet::new("at-2")?, mode).await;
    ensure(
        late.is_err_and(|error| error.is_signed_out()),
        "a late write was accepted",
    )?;
    let late = session.get(&api).await;
    ensure(
        late.is_err_and(|error| error.is_signed_out()),
        "a read was not refused",
    )?;
    ensure(
        cache.sessions(&account).await?.is_empty(),
        "a session is left",
    )
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

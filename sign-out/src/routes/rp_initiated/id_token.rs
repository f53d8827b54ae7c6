use token_cache_core::{EntryKey, Result};

/// Returns the entry key under which an app stores the ID token of a session, for the app's own sign-out
/// ([`SignOutRoutes::logout`](crate::SignOutRoutes::logout)). Store the token in the session at the sign-in, unchanged,
/// after it was verified. Its signature is not verified again.
///
/// The app's own sign-out sends the ID token to the provider as `id_token_hint` (OpenID Connect RP-Initiated Logout 1.0
/// section 2). If no ID token is stored under the key, or it cannot be parsed, the provider may ask the user to
/// confirm.
///
/// ```
/// # use token_cache::{AccountId, SignIn, TokenCache};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # let cache = TokenCache::in_memory().await?;
/// # let ada = AccountId::new("https://id.example", "ada")?;
/// # let session = cache.sign_in(SignIn::new(ada, &cache.start_sign_in()?)).await?;
/// # let id_token = "header.payload.signature";
/// session.put(&token_cache::sign_out::id_token_key()?, id_token.as_bytes()).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Never returns an error: the key is a constant within every limit.
pub fn id_token_key() -> Result<EntryKey> {
    EntryKey::new("openid id_token")
}

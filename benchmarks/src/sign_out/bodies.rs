use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use token_cache::{AccountId, SignIn, TokenCache, sign_out::SignOutRoutes};
use url::form_urlencoded;

use super::provider::{ISSUER, Provider, post};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

const NAME: &str = "sign-out/bodies";

/// Sends random bodies, and forms with a changed valid token.
///
/// Counts the 5xx responses and the sign-outs. Both counts must be zero.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let bodies = if args.quick { 20_000 } else { 1_000_000 };
    let provider = Provider::new()?;
    let cache = TokenCache::in_memory().await?;
    let evictions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&evictions);
    let routes = SignOutRoutes::builder(cache.clone())
        .client(provider.client())
        .on_sign_out(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        })
        .build()?;
    let started = cache.start_sign_in()?;
    let ada = SignIn::new(AccountId::new(ISSUER, "ada")?, &started).sid("s1")?;
    let session = cache.sign_in(ada).await?;
    let token = provider.token("ada", "s1")?;
    let random = Random::new()?;
    let server_errors = tokio::spawn(send(routes, token.text, random, bodies)).await??;
    let evictions = evictions.load(Ordering::SeqCst);
    cache.resume(&session.ticket()?).await?;
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let wrong = (server_errors + evictions) as f64;
    figures.push(
        Figure::new(NAME.to_owned(), &[wrong], Better::Lower, 0.0).detail(format!(
            "bodies: {bodies}, 5xx: {server_errors}, evictions: {evictions}"
        )),
    );
    Ok(())
}

async fn send(
    routes: SignOutRoutes,
    token: String,
    mut random: Random,
    bodies: usize,
) -> Result<usize> {
    let mut server_errors = 0;
    let mut sent = 0;
    while sent < bodies {
        let body = random.body(&token);
        if names(&body, &token) {
            continue;
        }
        let answer = routes.back_channel_logout(post(body.into())?).await;
        server_errors += usize::from(answer.status().is_server_error());
        sent += 1;
    }
    Ok(server_errors)
}

/// Returns `true` if the change left the token as it was.
fn names(body: &[u8], token: &str) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "logout_token" && value == token)
}

/// Random numbers by xorshift64*. They need not be secret.
struct Random(u64);

impl Random {
    fn new() -> Result<Self> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        Ok(Self(u64::from_le_bytes(seed) | 1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        // The remainder is below a `usize`.
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.byte()).collect()
    }

    /// Returns a body. One in eight is completely random, and one in eight is a form with a random token.
    fn body(&mut self, token: &str) -> Vec<u8> {
        match self.below(8) {
            0 => self.bytes(600),
            1 => [b"logout_token=".as_slice(), &self.bytes(600)].concat(),
            _ => {
                let mut form = format!("logout_token={token}").into_bytes();
                for _ in 0..=self.below(3) {
                    self.change(&mut form);
                }
                form
            }
        }
    }

    fn change(&mut self, form: &mut Vec<u8>) {
        const LETTERS: &[u8] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=&%";
        if form.is_empty() {
            return;
        }
        let at = self.below(form.len());
        match self.below(6) {
            // A valid letter of a token, so that the mistake is found late.
            0 | 1 => form[at] = LETTERS[self.below(LETTERS.len())],
            2 => form[at] = self.byte(),
            3 => form.insert(at, LETTERS[self.below(LETTERS.len())]),
            4 => {
                form.remove(at);
            }
            _ => form.truncate(at),
        }
    }
}

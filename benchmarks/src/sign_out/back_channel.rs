use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use token_cache::{TokenCache, sign_out::SignOutRoutes};

use super::provider::{Provider, Token, post};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    machine::Watch,
    report,
    rounds::{self, Rounds},
};

const NAME: &str = "sign-out/back-channel";

/// As many users, each in one session at the provider.
const USERS: usize = 512;

/// What a server must take on one core, a second.
const AT_LEAST: f64 = 5_000.0;

struct Sides {
    provider: Provider,
    routes: SignOutRoutes,
    tokens: Vec<Token>,
}

/// The whole of a back-channel request, beside the bare check of its signature by the same library.
///
/// One request comes after the other, in a task of the runtime's one thread: what is measured is what a core can do.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let provider = Provider::new()?;
    let sides = Arc::new(Sides {
        routes: provider.routes(TokenCache::in_memory().await?)?,
        tokens: (0..USERS)
            .map(|user| provider.token(&format!("user-{user}"), &format!("session-{user}")))
            .collect::<Result<_>>()?,
        provider,
    });
    let turn = Duration::from_millis(if args.quick { 10 } else { 50 });
    let raw = async |calls| Arc::clone(&sides).checks(calls);
    let ours = async |calls| tokio::spawn(Arc::clone(&sides).requests(calls)).await?;
    let calls = rounds::calls_in(turn, raw).await?;
    rounds::calls_in(turn, ours).await?;
    let watch = Watch::start(None);
    let turns = Rounds {
        rounds: args.rounds(),
        turns: if args.quick { 2 } else { 10 },
    };
    let rounds = turns
        .run(async || ours(calls).await, async || raw(calls).await)
        .await?;
    let (our_round, raw_round) = rounds::medians(&rounds);
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let calls = (calls * turns.turns) as f64;
    let mut figure = Figure::new(NAME.to_owned(), &rounds::time(&rounds), Better::Lower, 1.5)
        .detail(format!(
            "{:.0} a second on one core, {:.1} µs each; {:.1} µs the bare signature",
            calls / our_round,
            our_round * 1e6 / calls,
            raw_round * 1e6 / calls,
        ))
        .beside(&watch);
    figure.holds &= calls / our_round >= AT_LEAST;
    figures.push(figure);
    Ok(())
}

impl Sides {
    async fn requests(self: Arc<Self>, calls: usize) -> Result<Duration> {
        let forms: Vec<_> = self.tokens.iter().map(Token::form).collect();
        let start = Instant::now();
        for form in forms.iter().cycle().take(calls) {
            let answer = self.routes.back_channel(post(form.clone())?).await;
            if answer.status() != StatusCode::OK {
                return Err(format!("a good token was answered {answer:?}").into());
            }
        }
        Ok(start.elapsed())
    }

    fn checks(self: Arc<Self>, calls: usize) -> Result<Duration> {
        let start = Instant::now();
        for token in self.tokens.iter().cycle().take(calls) {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.provider.point());
            key.verify(black_box(token.signed()), &token.signature)
                .map_err(|_| "the bare check failed")?;
        }
        Ok(start.elapsed())
    }
}

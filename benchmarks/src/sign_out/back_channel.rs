use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::StatusCode;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use token_cache::{AccountId, Session, SignIn, TokenCache, sign_out::SignOutRoutes};

use super::provider::{ISSUER, Provider, Token, post};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    machine::Watch,
    report,
    rounds::{self, Rounds},
};

const NAME: &str = "sign-out/back-channel";

/// The number of tokens whose signatures are verified in one turn.
const CHECKED: usize = 512;

/// The minimum number of messages that one core must handle in a second.
const AT_LEAST: f64 = 5_000.0;

struct Sides {
    provider: Provider,
    cache: TokenCache,
    routes: SignOutRoutes,
    tokens: Vec<Token>,
    /// The number of users so far.
    users: AtomicUsize,
}

/// Measures a complete back-channel request that ends a session, next to verifying its signature with the same library.
///
/// Requests run one after the other, in a task on the runtime's one thread. So the result is what one core can do.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let provider = Provider::new()?;
    let cache = TokenCache::in_memory().await?;
    let sides = Arc::new(Sides {
        routes: provider.routes(cache.clone())?,
        cache,
        tokens: (0..CHECKED)
            .map(|user| provider.token(&format!("user-{user}"), &format!("session-{user}")))
            .collect::<Result<_>>()?,
        users: AtomicUsize::new(0),
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
        let (mut sessions, mut requests) = (Vec::new(), Vec::new());
        for _ in 0..calls {
            let (session, token) = self.sign_in().await?;
            sessions.push(session);
            requests.push(post(token.form())?);
        }
        let start = Instant::now();
        for request in requests {
            let answer = self.routes.back_channel_logout(request).await;
            if answer.status() != StatusCode::OK {
                return Err(format!("a good token was answered {answer:?}").into());
            }
        }
        let took = start.elapsed();
        for session in sessions {
            match self.cache.resume(&session.ticket()?).await {
                Err(error) if error.is_signed_out() => {}
                other => return Err(format!("a session continued: {other:?}").into()),
            }
        }
        Ok(took)
    }

    /// Returns the session of a new user, and the token that ends it.
    async fn sign_in(&self) -> Result<(Session, Token)> {
        let user = self.users.fetch_add(1, Ordering::Relaxed);
        let (subject, sid) = (format!("user-{user}"), format!("session-{user}"));
        let started = self.cache.start_sign_in()?;
        let account = AccountId::new(ISSUER, subject.as_str())?;
        let sign_in = SignIn::new(account, &started).sid(sid.as_str())?;
        let session = self.cache.sign_in(sign_in).await?;
        Ok((session, self.provider.token(&subject, &sid)?))
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

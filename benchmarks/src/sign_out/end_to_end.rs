use std::time::{Duration, Instant};

use http::StatusCode;
use token_cache::{
    AccountId, EntryKey, LogoutMessage, Secret, SignIn, Ticket, Timestamp, TokenCache,
    dynamodb::{DynamoDbConfig, DynamoDbStore},
    sign_out::SignOutRoutes,
};
use token_cache_integration_tests::servers::{
    DynamoDbEngine, DynamoDbProxy, Kept, Proxy, RedisOptions, RedisServer, TABLE, dynamodb_client,
};

use super::provider::{ISSUER, Provider, post};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure, median},
    report,
};

/// The number of users that a round signs out on each side.
const USERS: usize = 50;

/// Measures the time from a provider's message to one server until another server rejects the user, and the requests to
/// the store.
///
/// The comparison is a sign-out without the message, and the same rejection.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if wanted(args, "redis") {
        let server = RedisServer::start(RedisOptions::default())?;
        let proxy = Proxy::start(server.address())?;
        let secret = Secret::random()?;
        let open = async |url: String| {
            let builder = token_cache::builder(&url)?.secret(secret.clone());
            builder.open().await
        };
        let (here, there) = (open(proxy.url()).await?, open(server.url()).await?);
        measure(args, "redis", here, there, || proxy.requests(), figures).await?;
    }
    if wanted(args, "dynamodb") {
        let engine = DynamoDbEngine::start(Kept::InMemory)?;
        let proxy = DynamoDbProxy::start(engine.address())?;
        let secret = Secret::random()?;
        let open = async |endpoint: String| {
            let client = dynamodb_client(&endpoint);
            let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new(TABLE)).await?;
            TokenCache::open(store, secret.clone()).await
        };
        let (here, there) = (
            open(proxy.endpoint()).await?,
            open(engine.endpoint()).await?,
        );
        measure(args, "dynamodb", here, there, || proxy.requests(), figures).await?;
    }
    Ok(())
}

fn names(store: &str) -> [String; 2] {
    ["end-to-end", "requests"].map(|figure| format!("sign-out/{figure}/{store}"))
}

fn wanted(args: &Args, store: &str) -> bool {
    names(store).iter().any(|name| args.wants(name))
}

async fn measure(
    args: &Args,
    store: &str,
    here: TokenCache,
    there: TokenCache,
    requests: impl Fn() -> u64,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let [time, count] = names(store);
    report::progress(&time);
    let provider = Provider::new()?;
    let app = App {
        routes: provider.routes(here.clone())?,
        here,
        there,
        provider,
        key: EntryKey::resource("https://api.example")?,
    };
    // The first one is not counted, because the server may not have loaded its scripts yet.
    for asked in [Asked::ByMessage, Asked::Directly] {
        app.sign_out("first", asked, &requests).await?;
    }
    let (mut ratios, mut ours, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..args.rounds() {
        let (mut our_round, mut bare_round) = (Duration::ZERO, Duration::ZERO);
        for number in 0..USERS {
            let user = format!("user-{round}-{number}");
            let one = app.sign_out(&user, Asked::ByMessage, &requests).await?;
            our_round += one.took;
            ours.push(one);
            let one = app.sign_out(&user, Asked::Directly, &requests).await?;
            bare_round += one.took;
            bare.push(one);
        }
        ratios.push(our_round.as_secs_f64() / bare_round.as_secs_f64());
    }
    let timed = Figure::new(time, &ratios, Better::Lower, 1.5).detail(format!(
        "p50 {:.1?}, p99 {:.1?}; bare p50 {:.1?}, p99 {:.1?}",
        percentile(&ours, 50),
        percentile(&ours, 99),
        percentile(&bare, 50),
        percentile(&bare, 99),
    ));
    let own = median(&counts(&bare));
    let counted = Figure::new(count, &counts(&ours), Better::Lower, own)
        .detail("the eviction's own and no more".to_owned());
    figures.extend(
        [timed, counted]
            .into_iter()
            .filter(|figure| args.wants(&figure.name)),
    );
    Ok(())
}

/// Two servers of an app, and its provider.
struct App {
    routes: SignOutRoutes,
    here: TokenCache,
    there: TokenCache,
    provider: Provider,
    key: EntryKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByMessage,
    Directly,
}

struct SignedOut {
    took: Duration,
    requests: u64,
}

impl App {
    /// Signs a user in and out at one server, and waits until the other server rejects the user.
    async fn sign_out(
        &self,
        user: &str,
        asked: Asked,
        requests: impl Fn() -> u64,
    ) -> Result<SignedOut> {
        let sid = format!("{user} {}", asked == Asked::ByMessage);
        let ticket = self.sign_in(user, &sid).await?;
        let elsewhere = self.there.resume_unverified(&ticket)?;
        let request = post(self.provider.token(user, &sid)?.form())?;
        let message = LogoutMessage::new(
            ISSUER,
            Timestamp::from_system_time(std::time::SystemTime::now()),
        )?;
        let message = message.subject(user)?.sid(&sid)?;
        let (before, since) = (requests(), Instant::now());
        match asked {
            Asked::ByMessage => {
                let answer = self.routes.back_channel_logout(request).await;
                if answer.status() != StatusCode::OK {
                    return Err(format!("a good token was answered {answer:?}").into());
                }
            }
            Asked::Directly => {
                if !self.here.sign_out_by(&message).await?.ended {
                    return Err("no session was signed in".into());
                }
            }
        }
        let requests = requests() - before;
        match elsewhere.get(&self.key).await {
            Err(error) if error.is_signed_out() => {}
            other => return Err(format!("not refused elsewhere: {other:?}").into()),
        }
        Ok(SignedOut {
            took: since.elapsed(),
            requests,
        })
    }

    async fn sign_in(&self, user: &str, sid: &str) -> Result<Ticket> {
        let started = self.here.start_sign_in()?;
        let sign_in = SignIn::new(AccountId::new(ISSUER, user)?, &started).sid(sid)?;
        let session = self.here.sign_in(sign_in).await?;
        session.put(&self.key, b"token".to_vec()).await?;
        Ok(session.ticket()?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
fn counts(all: &[SignedOut]) -> Vec<f64> {
    all.iter().map(|one| one.requests as f64).collect()
}

fn percentile(all: &[SignedOut], percent: usize) -> Duration {
    let mut took: Vec<_> = all.iter().map(|one| one.took).collect();
    took.sort_unstable();
    let at = (took.len() * percent / 100).min(took.len().saturating_sub(1));
    took.get(at).copied().unwrap_or_default()
}

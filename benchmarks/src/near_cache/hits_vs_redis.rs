use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use token_cache::{
    near_cache::NearCacheConfig,
    redis::{RedisConfig, RedisStore},
    store::{AccountKey, EntryAddress, EntryName, IssuerKey, ReadOptions, SessionId, TokenStore},
};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

use super::accounts::{Accounts, random, sign_in};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    machine::Watch,
    report,
    rounds::{self, Rounds, calls_in},
};

const NAME: &str = "near-cache/hit-vs-redis";

const VALUE: usize = 1 << 10;

/// Hits of one caller beside reads of one caller from a Redis server on this machine, of the same kind of entry.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let local = Accounts::new(1, VALUE, NearCacheConfig::new()).await?;
    local.read_all().await?;
    let hit = |calls: usize| -> Result<Duration> {
        let (at, begun) = (&local.entries[0], Instant::now());
        for _ in 0..calls {
            black_box(local.hit(at)).ok_or("a hit was none")?;
        }
        Ok(begun.elapsed())
    };

    let (server, url) = if let Some(url) = &args.url {
        (None, url.clone())
    } else {
        let server = RedisServer::start(RedisOptions::default())?;
        let url = server.url();
        (Some(server), url)
    };
    let mut config = RedisConfig::from_url(&url)?;
    config.prefix = format!("bench-{:x}", u128::from_le_bytes(random()?));
    let store = RedisStore::connect(config).await?;
    let now = store.namespace().await?.time;
    let at = EntryAddress::new(
        AccountKey::new(IssuerKey::from_bytes([7; 16]), random()?),
        SessionId::from_bytes(random()?),
        EntryName::from_bytes(random()?),
    );
    sign_in(&store, &at, vec![5; VALUE], now).await?;
    let read = async |calls: usize| -> Result<Duration> {
        let begun = Instant::now();
        for _ in 0..calls {
            let read = store.read(&at, ReadOptions::at(now)).await?;
            black_box(read).ok_or("the entry is gone")?;
        }
        Ok(begun.elapsed())
    };

    let turn = Duration::from_millis(if args.quick { 5 } else { 25 });
    let reads = calls_in(turn, read).await?;
    let hits = calls_in(turn, async |calls| hit(calls)).await?;
    let plan = Rounds {
        rounds: args.rounds(),
        turns: if args.quick { 2 } else { 10 },
    };
    let watch = Watch::start(server.as_ref().and_then(RedisServer::pid));
    let rounds = plan
        .run(async || hit(hits), async || read(reads).await)
        .await?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let more = hits as f64 / reads as f64;
    let ratios: Vec<f64> = rounds::throughput(&rounds)
        .iter()
        .map(|ratio| ratio * more)
        .collect();
    let (ours, raw) = rounds::medians(&rounds);
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let per_second = |calls: usize, seconds: f64| (calls * plan.turns) as f64 / seconds;
    let detail = format!(
        "{:.1} M hits/s; {:.1} k reads/s",
        per_second(hits, ours) / 1e6,
        per_second(reads, raw) / 1e3,
    );
    let figure = Figure::new(NAME.to_owned(), &ratios, Better::Higher, 100.0);
    figures.push(figure.beside(&watch).detail(detail));
    Ok(())
}

use std::time::{Duration, Instant};

use redis::cmd;

use super::{
    bench::{Bench, account},
    template,
    victims::Victims,
};
use crate::{
    Result,
    figure::{Better, Figure},
    report, rounds,
};

/// How many entries the account has; how many accounts a turn signs out, one after the other; how many turns a round has.
///
/// A thread of the server frees a big account after the answer, so a round has one of those.
const SIZES: [(usize, usize, usize); 4] =
    [(1, 50, 8), (10, 50, 8), (1_000, 1, 24), (10_000, 1, 12)];

const GOAL: f64 = 1.3;

/// `TokenCache::sign_out_account` against `UNLINK` of an identical hash, by one caller.
pub(super) async fn run(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for (entries, accounts, turns) in SIZES {
        let name = format!("redis/sign-out/{entries}");
        if !bench.args.wants(&name) {
            continue;
        }
        report::progress(&name);
        let victims = OneByOne::new(bench, entries, accounts).await?;
        let plan = bench.rounds(turns);
        let watch = bench.watch();
        let rounds = plan
            .run(
                async || victims.sign_out().await,
                async || victims.unlink().await,
            )
            .await?;
        let (ours, raw) = rounds::medians(&rounds);
        let micros = 1e6 / f64::from(u32::try_from(accounts * plan.turns)?);
        let detail = format!("{:.0} µs; raw {:.0} µs", ours * micros, raw * micros);
        let ratios = rounds::time(&rounds);
        figures.push(
            Figure::new(name, &ratios, Better::Lower, GOAL)
                .detail(detail)
                .beside(&watch),
        );
    }
    Ok(())
}

/// Accounts that are signed out one after the other.
struct OneByOne<'a>(Victims<'a>);

impl<'a> OneByOne<'a> {
    async fn new(bench: &'a Bench, entries: usize, accounts: usize) -> Result<Self> {
        bench.keyspace.clear(&[]).await?;
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        for number in 0..accounts {
            let entries = if number == 0 { entries } else { 1 };
            let (_, stored) = template::make(bench, account(number)?, entries).await?;
            ids.push(account(number)?);
            keys.push(stored.account);
        }
        let template = bench.keyspace.set_aside(&keys[0]).await?;
        Ok(Self(Victims {
            bench,
            template,
            ids,
            keys,
        }))
    }

    async fn sign_out(&self) -> Result<Duration> {
        self.0.revive().await?;
        let (cache, ids) = (self.0.bench.cache.clone(), self.0.ids.clone());
        let took = tokio::spawn(async move {
            let start = Instant::now();
            for id in &ids {
                if !cache.sign_out_account(id).await?.ended {
                    return Err("no session was signed in".into());
                }
            }
            Result::Ok(start.elapsed())
        })
        .await??;
        self.0.all_gone().await?;
        Ok(took)
    }

    async fn unlink(&self) -> Result<Duration> {
        self.0.revive().await?;
        let (mut raw, keys) = (self.0.bench.raw.clone(), self.0.keys.clone());
        let took = tokio::spawn(async move {
            let start = Instant::now();
            for key in &keys {
                let unlinked: bool = cmd("UNLINK").arg(key).query_async(&mut raw).await?;
                if !unlinked {
                    return Err("no session was signed in".into());
                }
            }
            Result::Ok(start.elapsed())
        })
        .await??;
        self.0.all_gone().await?;
        Ok(took)
    }
}

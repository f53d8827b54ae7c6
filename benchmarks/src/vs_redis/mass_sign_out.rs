use std::time::{Duration, Instant};

use redis::pipe;
use token_cache::AccountId;

use super::{
    bench::{Bench, ISSUER, account, sign_in},
    template,
    victims::Victims,
};
use crate::{
    Result,
    figure::{Better, Figure},
    report, rounds,
};

/// How many `UNLINK`s the raw side sends at once: as many as the cache takes accounts in one step. More gained nothing.
const PIPELINE: usize = 500;

/// How many sign-ins are under way at once while the accounts are prepared.
const SIGN_INS: usize = 64;

/// A sign-out of 100,000 accounts against pipelined `UNLINK` of the same hashes.
pub(super) async fn run(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let count = if bench.args.quick { 10_000 } else { 100_000 };
    let kinds = [("issuer", 0.8), ("accounts", 0.4)];
    for (kind, goal) in kinds {
        let name = format!("redis/mass-sign-out/{kind}");
        if !bench.args.wants(&name) {
            continue;
        }
        report::progress(&name);
        let victims = Together::new(bench, count).await?;
        let watch = bench.watch();
        let rounds = bench
            .rounds(1)
            .run(
                async || match kind {
                    "issuer" => victims.sign_out_issuer().await,
                    _ => victims.sign_out_list().await,
                },
                async || victims.unlink().await,
            )
            .await?;
        let (ours, raw) = rounds::medians(&rounds);
        let detail = format!("{count} accounts in {ours:.2} s; raw {raw:.2} s");
        let ratios = rounds::throughput(&rounds);
        figures.push(
            Figure::new(name, &ratios, Better::Higher, goal)
                .detail(detail)
                .beside(&watch),
        );
        bench.keyspace.clear(&[]).await?;
    }
    Ok(())
}

/// All accounts of an issuer.
struct Together<'a>(Victims<'a>);

impl<'a> Together<'a> {
    async fn new(bench: &'a Bench, count: usize) -> Result<Self> {
        bench.keyspace.clear(&[]).await?;
        let (_, stored) = template::make(bench, account(0)?, 1).await?;
        let template = bench.keyspace.set_aside(&stored.account).await?;
        let ids: Vec<AccountId> = (0..count).map(account).collect::<Result<_>>()?;
        let mut callers = Vec::new();
        for part in ids.chunks(count.div_ceil(SIGN_INS)) {
            let (cache, part) = (bench.cache.clone(), part.to_vec());
            callers.push(tokio::spawn(async move {
                for id in part {
                    sign_in(&cache, id).await?;
                }
                Result::Ok(())
            }));
        }
        for caller in callers {
            caller.await??;
        }
        let mut keys = bench.keyspace.accounts().await?;
        keys.retain(|key| *key != template);
        if keys.len() != count {
            return Err(format!("{} of {count} accounts are there", keys.len()).into());
        }
        Ok(Self(Victims {
            bench,
            template,
            ids,
            keys,
        }))
    }

    async fn sign_out_issuer(&self) -> Result<Duration> {
        self.sign_out(|bench, _| Ok(bench.sign_out_issuer(ISSUER)?))
            .await
    }

    async fn sign_out_list(&self) -> Result<Duration> {
        self.sign_out(|bench, ids| Ok(bench.sign_out_accounts(ids)?))
            .await
    }

    async fn sign_out(
        &self,
        start: impl Fn(
            &token_cache::TokenCache,
            &[AccountId],
        ) -> Result<token_cache::admin::BulkSignOut>
        + Send
        + 'static,
    ) -> Result<Duration> {
        self.0.revive().await?;
        let (cache, ids) = (self.0.bench.cache.clone(), self.0.ids.clone());
        let took = tokio::spawn(async move {
            let started = Instant::now();
            let mut run = start(&cache, &ids)?;
            while run.step().await?.is_some() {}
            let took = started.elapsed();
            if !run.report().ended {
                return Err("no session was signed in".into());
            }
            Result::Ok(took)
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
            for chunk in keys.chunks(PIPELINE) {
                let mut unlinks = pipe();
                for key in chunk {
                    unlinks.cmd("UNLINK").arg(key);
                }
                let unlinked: Vec<bool> = unlinks.query_async(&mut raw).await?;
                if unlinked.contains(&false) {
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

use std::{
    hint::black_box,
    sync::Barrier,
    time::{Duration, Instant},
};

use token_cache::{Entry, near_cache::NearCacheConfig, store::AccountKey};

use super::accounts::{Accounts, zipf};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    machine::Watch,
    report,
    rounds::{self, Rounds, calls_in},
};

const ACCOUNTS: usize = 100_000;
const DRAWS: usize = 1 << 20;
const THREADS: [usize; 2] = [1, 2];

/// Measures a hit, which is a synchronous lookup with all its checks, beside the `get` of two cache engines with the account as the key.
///
/// The engines are `moka`, the usual choice, and `quick_cache`, which the near caches are built on.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !THREADS
        .iter()
        .any(|threads| args.wants(&by_moka_at(*threads)) || args.wants(&by_engine_at(*threads)))
    {
        return Ok(());
    }
    let policy = NearCacheConfig::new()
        .max_entries(2 * ACCOUNTS)
        .max_bytes(1 << 30);
    let accounts = Accounts::new(ACCOUNTS, 64, policy).await?;
    let moka = moka::sync::Cache::new(2 * ACCOUNTS as u64);
    let engine = quick_cache::sync::Cache::new(2 * ACCOUNTS);
    for at in &accounts.entries {
        let entry = accounts.read(at).await?;
        moka.insert(*at.account(), entry.clone());
        engine.insert(*at.account(), entry);
    }
    moka.run_pending_tasks();
    let order = zipf(ACCOUNTS, DRAWS);
    let hits = |number: usize| {
        let at = &accounts.entries[number];
        accounts.hit(at)
    };
    let key = |number: usize| -> &AccountKey { accounts.entries[number].account() };
    let (by_moka, by_engine) = (
        |number: usize| moka.get(key(number)),
        |number: usize| engine.get(key(number)),
    );
    for threads in THREADS {
        let bench = Bench {
            args,
            order: &order,
            threads,
        };
        bench
            .compare(figures, by_moka_at(threads), 1.3, &hits, &by_moka, "moka")
            .await?;
        let name = by_engine_at(threads);
        bench
            .compare(figures, name, 2.0, &hits, &by_engine, "quick_cache")
            .await?;
    }
    Ok(())
}

fn by_moka_at(threads: usize) -> String {
    format!("near-cache/hit/{threads}")
}

fn by_engine_at(threads: usize) -> String {
    format!("near-cache/hit-vs-engine/{threads}")
}

struct Bench<'a> {
    args: &'a Args,
    order: &'a [usize],
    threads: usize,
}

impl Bench<'_> {
    async fn compare(
        &self,
        figures: &mut Vec<Figure>,
        name: String,
        goal: f64,
        ours: &(impl Fn(usize) -> Option<Entry> + Sync),
        raw: &(impl Fn(usize) -> Option<Entry> + Sync),
        beside: &str,
    ) -> Result<()> {
        if !self.args.wants(&name) {
            return Ok(());
        }
        report::progress(&name);
        let watch = Watch::start(None);
        let turn = Duration::from_millis(if self.args.quick { 2 } else { 20 });
        let calls = calls_in(turn, async |calls| self.turn(calls, raw)).await?;
        calls_in(turn, async |calls| self.turn(calls, ours)).await?;
        let turns = Rounds {
            rounds: self.args.rounds(),
            turns: if self.args.quick { 2 } else { 10 },
        };
        let rounds = turns
            .run(
                async || self.turn(calls, ours),
                async || self.turn(calls, raw),
            )
            .await?;
        let (ours, raw) = rounds::medians(&rounds);
        #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
        let nanos = |round: f64| round * 1e9 / (calls * turns.turns) as f64;
        let figure = Figure::new(name, &rounds::time(&rounds), Better::Lower, goal);
        figures.push(figure.beside(&watch).detail(format!(
            "{:.0} ns a hit; {:.0} ns a get of {beside}",
            nanos(ours),
            nanos(raw),
        )));
        Ok(())
    }

    /// Every thread makes these calls, all of them hits.
    fn turn(
        &self,
        calls: usize,
        get: &(impl Fn(usize) -> Option<Entry> + Sync),
    ) -> Result<Duration> {
        let together = Barrier::new(self.threads);
        let took = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|thread| {
                    let (together, order) = (&together, self.order);
                    scope.spawn(move || {
                        let start = thread * order.len() / self.threads;
                        together.wait();
                        let begun = Instant::now();
                        let asked = order.iter().cycle().skip(start).take(calls);
                        let misses = asked.filter(|number| black_box(get(**number)).is_none());
                        (misses.count(), begun.elapsed())
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a thread panicked".into()))
                .collect::<Result<Vec<(usize, Duration)>>>()
        })?;
        let misses: usize = took.iter().map(|(misses, _)| misses).sum();
        if misses > 0 {
            return Err(format!("{misses} of {calls} hits were none").into());
        }
        Ok(took.iter().map(|(_, took)| *took).max().unwrap_or_default())
    }
}

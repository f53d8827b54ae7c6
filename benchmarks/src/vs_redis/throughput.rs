use std::time::Duration;

use redis::{aio::MultiplexedConnection, cmd};
use token_cache::{EntryKey, Session};

use super::{
    bench::{Bench, account, token},
    template::{self, Stored, VALUE},
};
use crate::{
    Result,
    figure::{Better, Figure},
    report,
    rounds::{self, Round, at_once, calls_in},
};

const CALLERS: [usize; 3] = [1, 16, 64];

/// How many turns a side has in a round, and how long each is at least.
pub(super) const TURNS: usize = 12;
const TURN: Duration = Duration::from_millis(25);

/// `Session::get` of a resumed session against `HMGET` of the same two fields of the same hash.
pub(super) async fn read(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for callers in CALLERS {
        let name = format!("redis/read/{callers}");
        if !bench.args.wants(&name) {
            continue;
        }
        report::progress(&name);
        let callers = Callers::new(bench, callers).await?;
        let watch = bench.watch();
        let compared = callers.compare(bench, gets, hmgets).await?;
        figures.push(compared.figure(name, 0.95).beside(&watch));
    }
    Ok(())
}

/// `Session::put` against `HSET` of as many bytes.
pub(super) async fn write(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for callers in CALLERS {
        let name = format!("redis/write/{callers}");
        if !bench.args.wants(&name) {
            continue;
        }
        report::progress(&name);
        let callers = Callers::new(bench, callers).await?;
        let watch = bench.watch();
        let compared = callers.compare(bench, puts, hsets).await?;
        figures.push(compared.figure(name, 0.45).beside(&watch));
    }
    Ok(())
}

/// Concurrent callers, each with an account of its own.
pub(super) struct Callers {
    ours: Vec<Ours>,
    raw: Vec<Raw>,
}

#[derive(Clone)]
pub(super) struct Ours {
    session: Session,
    key: EntryKey,
}

#[derive(Clone)]
pub(super) struct Raw {
    connection: MultiplexedConnection,
    stored: Stored,
}

impl Callers {
    pub(super) async fn new(bench: &Bench, callers: usize) -> Result<Self> {
        bench.keyspace.clear(&[]).await?;
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        for number in 0..callers {
            let (session, stored) = template::make(bench, account(number)?, 1).await?;
            ours.push(Ours {
                session: bench.cache.resume(&session.ticket()?).await?,
                key: template::entry(0)?,
            });
            raw.push(Raw {
                connection: bench.raw.clone(),
                stored,
            });
        }
        Ok(Self { ours, raw })
    }

    async fn compare<OursTask, RawTask>(
        &self,
        bench: &Bench,
        ours: impl Fn(Ours, usize) -> OursTask,
        raw: impl Fn(Raw, usize) -> RawTask,
    ) -> Result<Compared>
    where
        OursTask: Future<Output = Result<()>> + Send + 'static,
        RawTask: Future<Output = Result<()>> + Send + 'static,
    {
        compare(bench, (&self.ours, ours), (&self.raw, raw)).await
    }

    pub(super) fn raw(&self) -> &[Raw] {
        &self.raw
    }
}

/// The rounds of two sides, and how many operations each side did in one.
pub(super) struct Compared {
    rounds: Vec<Round>,
    operations: usize,
}

impl Compared {
    pub(super) fn figure(&self, name: String, goal: f64) -> Figure {
        let (ours, raw) = rounds::medians(&self.rounds);
        let operations = f64::from(u32::try_from(self.operations).unwrap_or(u32::MAX));
        let per_second = |seconds: f64| operations / seconds / 1_000.0;
        let (ours, raw) = (per_second(ours), per_second(raw));
        let ratios = rounds::throughput(&self.rounds);
        Figure::new(name, &ratios, Better::Higher, goal)
            .detail(format!("{ours:.1} k/s; raw {raw:.1} k/s"))
    }
}

/// Runs two sides, each with its callers, in turns of the same number of calls.
pub(super) async fn compare<A, B, TaskA, TaskB>(
    bench: &Bench,
    (callers_a, a): (&[A], impl Fn(A, usize) -> TaskA),
    (callers_b, b): (&[B], impl Fn(B, usize) -> TaskB),
) -> Result<Compared>
where
    A: Clone,
    B: Clone,
    TaskA: Future<Output = Result<()>> + Send + 'static,
    TaskB: Future<Output = Result<()>> + Send + 'static,
{
    let side_a = async |calls: usize| at_once(callers_a, |caller| a(caller, calls)).await;
    let side_b = async |calls: usize| at_once(callers_b, |caller| b(caller, calls)).await;
    let calls = calls_in(TURN, side_b)
        .await?
        .max(calls_in(TURN, side_a).await?);
    let plan = bench.rounds(TURNS);
    let rounds = plan
        .run(async || side_a(calls).await, async || side_b(calls).await)
        .await?;
    Ok(Compared {
        rounds,
        operations: calls * callers_a.len() * plan.turns,
    })
}

async fn gets(caller: Ours, calls: usize) -> Result<()> {
    for _ in 0..calls {
        let entry = caller.session.get(&caller.key).await?;
        if entry.is_none() {
            return Err("the entry is gone".into());
        }
    }
    Ok(())
}

pub(super) async fn hmgets(mut caller: Raw, calls: usize) -> Result<()> {
    for _ in 0..calls {
        let (session, entry): (Option<Vec<u8>>, Option<Vec<u8>>) = cmd("HMGET")
            .arg(&caller.stored.account)
            .arg(&caller.stored.session)
            .arg(&caller.stored.entry)
            .query_async(&mut caller.connection)
            .await?;
        if session.is_none() || entry.is_none() {
            return Err("the entry is gone".into());
        }
    }
    Ok(())
}

async fn puts(caller: Ours, calls: usize) -> Result<()> {
    let value = token(VALUE);
    for _ in 0..calls {
        caller.session.put(&caller.key, value.as_slice()).await?;
    }
    Ok(())
}

async fn hsets(mut caller: Raw, calls: usize) -> Result<()> {
    for _ in 0..calls {
        let () = cmd("HSET")
            .arg(&caller.stored.account)
            .arg(&caller.stored.entry)
            .arg(&caller.stored.value)
            .query_async(&mut caller.connection)
            .await?;
    }
    Ok(())
}

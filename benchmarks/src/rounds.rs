use std::time::{Duration, Instant};

use crate::{Result, figure::median};

/// How two sides take turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    /// How many rounds; each gives one ratio.
    pub(crate) rounds: usize,
    /// How many turns each side has in a round. They alternate, and who goes first alternates too, so that a drift of the
    /// machine falls on both.
    pub(crate) turns: usize,
}

/// How long each side took for the same work in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) ours: Duration,
    pub(crate) raw: Duration,
}

impl Rounds {
    /// Runs all rounds. Each side does a fixed amount of work in a turn, and answers with how long it took.
    pub(crate) async fn run(
        self,
        mut ours: impl AsyncFnMut() -> Result<Duration>,
        mut raw: impl AsyncFnMut() -> Result<Duration>,
    ) -> Result<Vec<Round>> {
        let mut rounds = Vec::with_capacity(self.rounds);
        for number in 0..self.rounds {
            let mut round = Round {
                ours: Duration::ZERO,
                raw: Duration::ZERO,
            };
            for turn in 0..self.turns {
                if (number + turn) % 2 == 0 {
                    round.ours += ours().await?;
                    round.raw += raw().await?;
                } else {
                    round.raw += raw().await?;
                    round.ours += ours().await?;
                }
            }
            rounds.push(round);
        }
        Ok(rounds)
    }
}

/// Throughput, ours over raw, a round.
pub(crate) fn throughput(rounds: &[Round]) -> Vec<f64> {
    ratios(rounds, |round| {
        round.raw.as_secs_f64() / round.ours.as_secs_f64()
    })
}

/// Time, ours over raw, a round.
pub(crate) fn time(rounds: &[Round]) -> Vec<f64> {
    ratios(rounds, |round| {
        round.ours.as_secs_f64() / round.raw.as_secs_f64()
    })
}

fn ratios(rounds: &[Round], ratio: impl Fn(&Round) -> f64) -> Vec<f64> {
    rounds.iter().map(ratio).collect()
}

/// The medians of both sides, in seconds a round.
pub(crate) fn medians(rounds: &[Round]) -> (f64, f64) {
    (
        median(&ratios(rounds, |round| round.ours.as_secs_f64())),
        median(&ratios(rounds, |round| round.raw.as_secs_f64())),
    )
}

/// Finds how many calls fill a turn of this length, and warms the side up on the way.
pub(crate) async fn calls_in(
    turn: Duration,
    mut side: impl AsyncFnMut(usize) -> Result<Duration>,
) -> Result<usize> {
    let mut calls = 16;
    loop {
        let took = side(calls).await?;
        if took >= turn {
            return Ok(calls);
        }
        calls *= 2;
    }
}

/// The time from the start of `callers` tasks to the end of the last. Each gets one of `states`, and makes its calls one
/// after the other.
pub(crate) async fn at_once<T, Task>(states: &[T], task: impl Fn(T) -> Task) -> Result<Duration>
where
    T: Clone,
    Task: Future<Output = Result<()>> + Send + 'static,
{
    let start = Instant::now();
    let tasks: Vec<_> = states
        .iter()
        .map(|state| tokio::spawn(task(state.clone())))
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed())
}

use std::{
    env,
    time::{Duration, SystemTime},
};

use token_cache_integration_tests::{
    fleet::{Fleet, Program, Refreshing, Storm, User},
    servers::{OAuthProvider, OwnStore, StoreKind},
};

use crate::{
    APP_SERVER, Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

const SERVERS: usize = 4;
const CALLERS: usize = 1_000;

/// The duration of a refresh at the provider. The callers' waits are reported as multiples of it.
const PROVIDER: Duration = Duration::from_millis(100);

/// So patient that a busy machine makes nothing time out.
const PATIENT: &str = "operation_timeout=30s&connect_timeout=30s";

const CALLS: &str = "refresh/provider-calls";
const WAIT: &str = "refresh/wait";

/// How one storm went.
struct Round {
    calls: f64,
    /// Of each caller, the shortest first.
    waits: Vec<Duration>,
}

/// Callers in several app servers who find the same tokens expired, all at once: how often the provider is asked, and how
/// long they wait.
pub(super) fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(CALLS) && !args.wants(WAIT) {
        return Ok(());
    }
    report::progress("refresh storms");
    let store = OwnStore::start(StoreKind::Redis)?;
    let program = Program {
        file: env::current_exe()?,
        arguments: vec![APP_SERVER.to_owned()],
    };
    let fleet = Fleet::start(program, &vec![store.url(PATIENT); SERVERS])?;
    let provider = OAuthProvider::start()?;
    provider.answers_after(PROVIDER);
    // The first is not counted: the app servers have not met the provider yet.
    storm(&fleet, &provider)?;
    let rounds = (0..args.rounds())
        .map(|_| storm(&fleet, &provider))
        .collect::<Result<Vec<_>>>()?;
    figures.push(calls(&rounds));
    figures.push(wait(&rounds));
    Ok(())
}

fn storm(fleet: &Fleet, provider: &OAuthProvider) -> Result<Round> {
    let session = fleet
        .sign_in(0, User::new(fleet.account()))
        .map_err(|outcome| format!("the sign-in failed: {outcome:?}"))?;
    let expired = Refreshing::Keep {
        response: provider.sign_in("ada")?,
        received_at: SystemTime::UNIX_EPOCH.elapsed()?.as_secs() - 24 * 3600,
    };
    let kept = fleet.server(0).refresh(&session.ticket, expired);
    kept.wait().ok_or("an app server ended")?;
    let before = provider.counts().refreshes;
    let ask = Refreshing::Storm(Storm {
        token_url: provider.token_url(),
        revocation_url: provider.revocation_url(),
        callers: CALLERS / SERVERS,
        polls: None,
        expiries: 1,
    });
    let running: Vec<_> = (0..SERVERS)
        .map(|at| fleet.server(at).refresh(&session.ticket, ask.clone()))
        .collect();
    let mut all = Vec::with_capacity(CALLERS);
    for running in running {
        all.extend(running.wait().ok_or("an app server ended")?);
    }
    let tokens = all.first().map(|first| first.got.clone());
    if all.len() != CALLERS || all.iter().any(|one| Some(&one.got) != tokens.as_ref()) {
        return Err("not every caller got the same tokens".into());
    }
    let calls = u32::try_from(provider.counts().refreshes - before)?;
    let mut waits: Vec<_> = all.iter().map(|one| one.waited).collect();
    waits.sort_unstable();
    Ok(Round {
        calls: f64::from(calls),
        waits,
    })
}

/// Reports the calls of all rounds. The goal holds only if no round has a second call.
fn calls(rounds: &[Round]) -> Figure {
    let calls: Vec<f64> = rounds.iter().map(|round| round.calls).collect();
    let mut figure = Figure::new(CALLS.to_owned(), &calls, Better::Lower, 1.0);
    figure.holds = figure.ratio.max <= figure.goal;
    figure.detail(format!("{CALLERS} callers on {SERVERS} processes"))
}

/// The longest waits but one in a hundred, as so many times what the provider takes.
fn wait(rounds: &[Round]) -> Figure {
    let ratios: Vec<f64> = rounds
        .iter()
        .map(|round| percentile(&round.waits, 99).as_secs_f64() / PROVIDER.as_secs_f64())
        .collect();
    let mut all: Vec<_> = rounds
        .iter()
        .flat_map(|round| round.waits.clone())
        .collect();
    all.sort_unstable();
    let detail = format!(
        "p50 {} ms, p99 {} ms, of which the provider took {} ms",
        percentile(&all, 50).as_millis(),
        percentile(&all, 99).as_millis(),
        PROVIDER.as_millis()
    );
    Figure::new(WAIT.to_owned(), &ratios, Better::Lower, 10.0).detail(detail)
}

/// Zero of nothing.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_waits_longer_than_the_99th_percentile() {
        let waits: Vec<_> = (1..=101).map(Duration::from_millis).collect();
        assert_eq!(percentile(&waits, 50), Duration::from_millis(51));
        assert_eq!(percentile(&waits, 99), Duration::from_millis(100));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn a_single_round_with_two_calls_misses_the_goal() {
        let round = |calls| Round {
            calls,
            waits: Vec::new(),
        };
        assert!(calls(&[round(1.0), round(1.0)]).holds);
        assert!(!calls(&[round(1.0), round(1.0), round(2.0)]).holds);
    }
}

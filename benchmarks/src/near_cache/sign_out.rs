use std::time::Duration;

use token_cache::near_cache::NearCacheOutcome;
use token_cache_integration_tests::servers::{Proxy, RedisOptions, RedisServer};

use super::fleet::{Fleet, url};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure, median},
    report,
};

/// How many users a round signs out on each side.
const USERS: usize = 100;

/// The goal of a sign-out while every server is alive, as a multiple of a sign-out without copies, which is one round trip to the store.
const ROUND_TRIPS: f64 = 3.0;

/// The shortest round trip of a message between two zones of a cloud region.
const NETWORK: Duration = Duration::from_micros(500);

const LEASE: Duration = Duration::from_secs(1);
const NEAR_CACHE: &str = "&near_cache=60s&lease=1s";

/// How long a sign-out takes that waits until no server can serve a copy.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    for servers in [1, 4, 16] {
        let name = format!("near-cache/sign-out/{servers}");
        if args.wants(&name) {
            figures.push(alive(args, name, servers, None).await?);
        }
    }
    for servers in [4, 16] {
        let name = format!(
            "near-cache/sign-out/{servers}/rtt-{}us",
            NETWORK.as_micros()
        );
        if args.wants(&name) {
            figures.push(alive(args, name, servers, Some(NETWORK)).await?);
        }
    }
    let name = "near-cache/sign-out/dead-server";
    if args.wants(name) {
        figures.push(dead(args, name).await?);
    }
    Ok(())
}

/// Measures a sign-out while every server is alive, beside the same fleet without copies. Each server is behind a simulated network with a
/// given round trip.
async fn alive(
    args: &Args,
    name: String,
    servers: usize,
    network: Option<Duration>,
) -> Result<Figure> {
    report::progress(&name);
    let redis = RedisServer::start(RedisOptions::default())?;
    let networks = (0..2 * servers).map(|_| network.map(|_| Proxy::start(redis.address())));
    let networks = networks
        .map(Option::transpose)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let fleet = |networks: &[Option<Proxy>], prefix, parameters| -> Vec<_> {
        let direct = || redis.url();
        let each = networks
            .iter()
            .map(|it| it.as_ref().map_or_else(direct, Proxy::url));
        each.map(|address| url(&address, prefix, parameters))
            .collect()
    };
    let mut ours = Fleet::open(&fleet(&networks[..servers], "copies", NEAR_CACHE)).await?;
    let mut bare = Fleet::open(&fleet(&networks[servers..], "bare", "")).await?;
    ours.hold_leases(&redis).await?;
    for (proxy, takes) in networks.iter().flatten().zip(network.into_iter().cycle()) {
        proxy.delay(takes);
        proxy.part_links(takes, takes);
    }
    let (mut ratios, mut our_times, mut bare_times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds() {
        let (mut our_round, mut bare_round) = (Vec::new(), Vec::new());
        for _ in 0..USERS {
            our_round.push(signed_out(&mut ours).await?);
            bare_round.push(signed_out(&mut bare).await?);
        }
        ratios.push(middle(&our_round) / middle(&bare_round));
        our_times.extend(our_round);
        bare_times.extend(bare_round);
    }
    let figure = Figure::new(name, &ratios, Better::Lower, ROUND_TRIPS);
    Ok(figure.detail(format!(
        "p50 {:.2?}, p99 {:.2?}; without copies p50 {:.2?}, p99 {:.2?}",
        percentile(&our_times, 50),
        percentile(&our_times, 99),
        percentile(&bare_times, 50),
        percentile(&bare_times, 99),
    )))
}

/// With one of five servers gone without a word: in leases.
async fn dead(args: &Args, name: &str) -> Result<Figure> {
    report::progress(name);
    let redis = RedisServer::start(RedisOptions::default())?;
    let proxy = Proxy::start(redis.address())?;
    let mut urls = vec![url(&redis.url(), "copies", NEAR_CACHE); 4];
    urls.push(url(&proxy.url(), "copies", NEAR_CACHE));
    let mut fleet = Fleet::open(&urls).await?;
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds() {
        fleet.hold_leases(&redis).await?;
        let users = [fleet.user()?, fleet.user()?];
        for user in &users {
            fleet.sign_in(user).await?;
        }
        proxy.freeze();
        let [with, after] = users;
        let (report, took) = fleet.sign_out(&with).await?;
        first.push(took);
        let NearCacheOutcome::Cleared { silent, .. } = report.near_caches else {
            return Err("the sign-out waited for no server".into());
        };
        if silent.len() != 1 {
            return Err(format!("{} servers were silent, and one is gone", silent.len()).into());
        }
        // The silent one is taken out of the registry right after the sign-out, in a task of its own.
        next.push(settled(&mut fleet, after).await?);
        proxy.thaw();
    }
    let leases: Vec<f64> = first
        .iter()
        .map(|took| took.as_secs_f64() / LEASE.as_secs_f64())
        .collect();
    Ok(
        Figure::new(name.to_owned(), &leases, Better::Lower, 1.1).detail(format!(
            "a lease of {LEASE:?}; the next sign-out took {:.2?}",
            percentile(&next, 50),
        )),
    )
}

/// Returns the duration of the first sign-out that waits for no server.
async fn settled(fleet: &mut Fleet, mut user: token_cache::AccountId) -> Result<Duration> {
    for _ in 0..3 {
        let (report, took) = fleet.sign_out(&user).await?;
        if matches!(report.near_caches, NearCacheOutcome::Cleared { silent, .. } if silent.is_empty())
        {
            return Ok(took);
        }
        user = fleet.user()?;
    }
    Err("a server that is gone is waited for again and again".into())
}

/// Signs a user in whom every server has copies of, and out again: how long that takes.
async fn signed_out(fleet: &mut Fleet) -> Result<Duration> {
    let user = fleet.user()?;
    let sessions = fleet.sign_in(&user).await?;
    let (report, took) = fleet.sign_out(&user).await?;
    fleet.refuse(&sessions).await?;
    if report.ended {
        Ok(took)
    } else {
        Err("no session was signed in".into())
    }
}

fn middle(times: &[Duration]) -> f64 {
    median(&times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

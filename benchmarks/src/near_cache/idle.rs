use std::time::Duration;

use token_cache_integration_tests::servers::{Proxy, RedisOptions, RedisServer};

use super::{
    ACCOUNTS,
    fleet::{Fleet, url},
    traffic::Traffic,
};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

const NAME: &str = "near-cache/idle-requests-per-lease";

const NEAR_CACHE: &str = "&near_cache=60s&lease=1s";
const LEASE: Duration = Duration::from_secs(1);

/// How many servers there are where the number of accounts grows.
const SERVERS: u32 = 4;

/// The additional requests of an idle server with copies during a lease.
struct Idle {
    requests: f64,
    /// Both ways.
    bytes: f64,
}

/// Measures the additional requests of an idle server with copies: for each lease, with more servers and with copies of more accounts.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    let leases = if args.quick { 4 } else { 20 };
    // A renewal each quarter of a lease; of those that fall into so many leases there may be one more.
    let goal = f64::from(4 * leases + 1) / f64::from(leases);
    let (mut ratios, mut rows) = (Vec::new(), Vec::new());
    if args.wants(NAME) {
        report::progress(NAME);
        for servers in [1, 4, 16] {
            let idle = beyond(servers, 1, leases).await?;
            ratios.push(idle.requests);
            rows.push(idle.row(servers, 1));
        }
        let figure = Figure::new(NAME.to_owned(), &ratios, Better::Lower, goal);
        figures.push(figure.detail("a renewal each quarter of a lease".to_owned()));
    }
    for accounts in ACCOUNTS {
        let name = format!("{NAME}/accounts-{accounts}");
        if args.wants(&name) {
            report::progress(&name);
            let idle = beyond(SERVERS, accounts, leases).await?;
            rows.push(idle.row(SERVERS, accounts));
            let figure = Figure::new(name, &[idle.requests], Better::Lower, goal);
            figures.push(figure.detail(format!("{:.0} bytes a lease and server", idle.bytes)));
        }
    }
    if !rows.is_empty() {
        report::rows(
            "What an idle server with near caches sends in a lease of a second, beyond one without.",
            &[
                "servers",
                "accounts with copies",
                "requests a lease and server",
                "bytes a lease and server",
            ],
            &rows,
        );
    }
    Ok(())
}

impl Idle {
    fn row(&self, servers: u32, accounts: usize) -> String {
        let Self { requests, bytes } = self;
        format!("| {servers} | {accounts} | {requests:.2} | {bytes:.0} |")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
async fn beyond(servers: u32, accounts: usize, leases: u32) -> Result<Idle> {
    let (requests, bytes) = idle(servers, NEAR_CACHE, accounts, leases).await?;
    let (plain_requests, plain_bytes) = idle(servers, "", 0, leases).await?;
    let share = |with: u64, without: u64| {
        with.saturating_sub(without) as f64 / f64::from(leases) / f64::from(servers)
    };
    Ok(Idle {
        requests: share(requests, plain_requests),
        bytes: share(bytes, plain_bytes),
    })
}

/// Requests, and bytes both ways, of so many leases.
async fn idle(servers: u32, parameters: &str, accounts: usize, leases: u32) -> Result<(u64, u64)> {
    let redis = RedisServer::start(RedisOptions::default())?;
    let proxy = Proxy::start(redis.address())?;
    let urls = vec![url(&proxy.url(), "idle", parameters); servers as usize];
    let mut fleet = Fleet::open(&urls).await?;
    if accounts > 0 {
        fleet.hold_leases(&redis).await?;
        fleet.populate_near_cache(accounts, &redis).await?;
    }
    let (requests, bytes) = (proxy.requests(), Traffic::of(&redis)?.bytes);
    tokio::time::sleep(LEASE * leases).await;
    let passed = Traffic::of(&redis)?.bytes - bytes;
    Ok((proxy.requests() - requests, passed))
}

use std::time::Duration;

use token_cache_integration_tests::servers::{Proxy, RedisOptions, RedisServer};

use super::{
    fleet::{Fleet, url},
    traffic::Traffic,
};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

const NAME: &str = "local/idle-requests-per-lease";

const COPIES: &str = "&local_copies=60s&lease=1s";
const LEASE: Duration = Duration::from_secs(1);

/// What a server sends while nothing happens, beyond what it sends without copies: for each lease.
#[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let leases = if args.quick { 4 } else { 20 };
    let (mut ratios, mut rows) = (Vec::new(), Vec::new());
    for servers in [1_u32, 4, 16] {
        let (requests, bytes) = idle(servers, COPIES, leases).await?;
        let (plain_requests, plain_bytes) = idle(servers, "", leases).await?;
        let share = |with: u64, without: u64| {
            with.saturating_sub(without) as f64 / f64::from(leases) / f64::from(servers)
        };
        let requests = share(requests, plain_requests);
        let bytes = share(bytes, plain_bytes);
        ratios.push(requests);
        rows.push(format!("| {servers} | {requests:.2} | {bytes:.0} |"));
    }
    report::rows(
        "What an idle server with local copies sends in a lease of a second, beyond one without: it is the same however many accounts \
         it has copies of.",
        &[
            "servers",
            "requests a lease and server",
            "bytes a lease and server",
        ],
        &rows,
    );
    let figure = Figure::new(NAME.to_owned(), &ratios, Better::Lower, 4.2);
    figures.push(figure.detail("a renewal each quarter of a lease".to_owned()));
    Ok(())
}

/// Requests, and bytes both ways, of so many leases.
async fn idle(servers: u32, parameters: &str, leases: u32) -> Result<(u64, u64)> {
    let redis = RedisServer::start(RedisOptions::default())?;
    let proxy = Proxy::start(redis.address())?;
    let urls = vec![url(&proxy.url(), "idle", parameters); servers as usize];
    let mut fleet = Fleet::open(&urls).await?;
    if !parameters.is_empty() {
        fleet.hold_leases().await?;
    }
    let (requests, bytes) = (proxy.requests(), Traffic::of(&redis)?.bytes);
    tokio::time::sleep(LEASE * leases).await;
    let passed = Traffic::of(&redis)?.bytes - bytes;
    Ok((proxy.requests() - requests, passed))
}

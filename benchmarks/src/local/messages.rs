use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

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

const NAME: &str = "local/messages-per-sign-out";

/// So long that hardly a renewal falls among what is counted. The first sign-out waits for as long.
const COPIES: &str = "&local_copies=60s&lease=30s";
const COPIES_QUICK: &str = "&local_copies=60s&lease=10s";

const USERS: u32 = 200;

/// How many messages a sign-out sends, for each other server: an announcement to it, and its answer. Reads and refreshes send none.
#[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    report::progress(NAME);
    let copies_of = if args.quick { COPIES_QUICK } else { COPIES };
    let (mut ratios, mut rows) = (Vec::new(), Vec::new());
    for servers in [2_u32, 4, 16] {
        let redis = RedisServer::start(RedisOptions::default())?;
        let fleet =
            |prefix, parameters| vec![url(&redis.url(), prefix, parameters); servers as usize];
        let mut ours = Fleet::open(&fleet("copies", copies_of)).await?;
        ours.hold_leases().await?;
        let copies = counted(&redis, &mut ours).await?;
        let mut bare = Fleet::open(&fleet("bare", "")).await?;
        let plain = counted(&redis, &mut bare).await?;
        let per_sign_out = |count: u64| count as f64 / f64::from(USERS);
        let per_server = |count: u64| per_sign_out(count) / f64::from(servers - 1);
        // A renewal may fall among them, and publishes its marker.
        if copies.reads_and_refreshes.published > u64::from(USERS / 10) {
            return Err("reads and refreshes were announced".into());
        }
        ratios.push(per_server(copies.sign_outs.published));
        let more = copies.sign_outs.bytes.saturating_sub(plain.sign_outs.bytes);
        rows.push(format!(
            "| {servers} | {:.2} | {:.0} |",
            per_sign_out(copies.sign_outs.published),
            per_server(more),
        ));
    }
    report::rows(
        "What a sign-out sends with local copies: messages published, and bytes both ways for each other server, beyond those of a \
         sign-out without copies.",
        &[
            "servers",
            "messages a sign-out",
            "bytes a sign-out and other server",
        ],
        &rows,
    );
    let figure = Figure::new(NAME.to_owned(), &ratios, Better::Lower, 1.6);
    figures.push(figure.detail(
        "published for each other server of 2, 4 and 16: one announcement for all, one answer each".to_owned(),
    ));
    Ok(())
}

struct Counted {
    reads_and_refreshes: Traffic,
    sign_outs: Traffic,
}

async fn counted(redis: &RedisServer, fleet: &mut Fleet) -> Result<Counted> {
    let mut users = Vec::new();
    for _ in 0..USERS {
        let user = fleet.user()?;
        let sessions = fleet.sign_in(&user).await?;
        users.push((user, sessions));
    }
    // The first sign-out has its script loaded; puts are announced, and told by now.
    let warm = fleet.user()?;
    let _ = fleet.sign_out(&warm).await?;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let before = Traffic::of(redis)?;
    for (_, sessions) in &users {
        fleet.read(sessions).await?;
        fleet.replace(sessions).await?;
    }
    let read = Traffic::of(redis)?;
    for (user, _) in &users {
        let _ = fleet.sign_out(user).await?;
    }
    let signed_out = Traffic::of(redis)?;
    Ok(Counted {
        reads_and_refreshes: read.since(&before),
        sign_outs: signed_out.since(&read),
    })
}

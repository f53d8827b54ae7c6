use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

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

const NAME: &str = "near-cache/messages-per-sign-out";

/// Lifetimes that are long enough that hardly any renewal is counted. The first sign-out waits for the same time.
const NEAR_CACHE: &str = "&near_cache=60s&lease=30s";
const NEAR_CACHE_QUICK: &str = "&near_cache=60s&lease=10s";

const USERS: u32 = 200;

/// One invalidation message for all other servers, and an answer from each: of 2, 4 and 16 servers, the one in the middle.
const GOAL: f64 = 1.6;

/// How many servers there are where the number of accounts grows.
const SERVERS: u32 = 4;

/// The messages of a sign-out.
struct Sent {
    /// Messages published.
    messages: f64,
    /// For each other server.
    share: f64,
    /// Both ways, for each other server, beyond a sign-out without copies.
    bytes: f64,
}

/// How many messages a sign-out sends, for each other server: an invalidation message to it, and its answer. Reads and refreshes send none, and
/// copies of other accounts have no part in it.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    let near_cache = if args.quick {
        NEAR_CACHE_QUICK
    } else {
        NEAR_CACHE
    };
    let (mut ratios, mut rows) = (Vec::new(), Vec::new());
    if args.wants(NAME) {
        report::progress(NAME);
        for servers in [2, 4, 16] {
            let sent = sent(servers, 1, near_cache).await?;
            ratios.push(sent.share);
            rows.push(sent.row(servers, 1));
        }
        let figure = Figure::new(NAME.to_owned(), &ratios, Better::Lower, GOAL);
        figures.push(figure.detail(
            "published for each other server of 2, 4 and 16: one invalidation message for all, one answer each".to_owned(),
        ));
    }
    for accounts in ACCOUNTS {
        let name = format!("{NAME}/accounts-{accounts}");
        if args.wants(&name) && !args.quick {
            report::progress(&name);
            let sent = sent(SERVERS, accounts, near_cache).await?;
            rows.push(sent.row(SERVERS, accounts));
            let figure = Figure::new(name, &[sent.share], Better::Lower, GOAL);
            figures.push(figure.detail(format!(
                "{:.2} messages a sign-out with {SERVERS} servers",
                sent.messages
            )));
        }
    }
    if !rows.is_empty() {
        report::rows(
            "What a sign-out sends with near caches: messages published, and bytes both ways for each other server, beyond those of a \
             sign-out without copies.",
            &[
                "servers",
                "accounts with copies",
                "messages a sign-out",
                "bytes a sign-out and other server",
            ],
            &rows,
        );
    }
    Ok(())
}

impl Sent {
    fn row(&self, servers: u32, accounts: usize) -> String {
        let Self {
            messages, bytes, ..
        } = self;
        format!("| {servers} | {accounts} | {messages:.2} | {bytes:.0} |")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
async fn sent(servers: u32, accounts: usize, near_cache: &str) -> Result<Sent> {
    let redis = RedisServer::start(RedisOptions::default())?;
    let fleet = |prefix, parameters| vec![url(&redis.url(), prefix, parameters); servers as usize];
    let mut ours = Fleet::open(&fleet("copies", near_cache)).await?;
    ours.hold_leases(&redis).await?;
    let copies = counted(&redis, &mut ours, accounts).await?;
    let mut bare = Fleet::open(&fleet("bare", "")).await?;
    let plain = counted(&redis, &mut bare, 0).await?;
    // A renewal may fall among them, and publishes its marker.
    if copies.reads_and_refreshes.published > u64::from(USERS / 10) {
        return Err("reads and refreshes were published".into());
    }
    let per_sign_out = |count: u64| count as f64 / f64::from(USERS);
    let more = copies.sign_outs.bytes.saturating_sub(plain.sign_outs.bytes);
    let messages = per_sign_out(copies.sign_outs.published);
    let per_server = |count: f64| count / f64::from(servers - 1);
    Ok(Sent {
        messages,
        share: per_server(messages),
        bytes: per_server(per_sign_out(more)),
    })
}

struct Counted {
    reads_and_refreshes: Traffic,
    sign_outs: Traffic,
}

/// Counts the messages while servers hold copies of this many accounts, none of which is signed out.
async fn counted(redis: &RedisServer, fleet: &mut Fleet, accounts: usize) -> Result<Counted> {
    let mut users = Vec::new();
    for _ in 0..USERS {
        let user = fleet.user()?;
        let sessions = fleet.sign_in(&user).await?;
        users.push((user, sessions));
    }
    // The first sign-out has its script loaded; puts are published, and told by now.
    let warm = fleet.user()?;
    let _ = fleet.sign_out(&warm).await?;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    if accounts > 0 {
        fleet.populate_near_cache(accounts, redis).await?;
    }
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

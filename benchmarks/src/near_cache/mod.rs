//! Near caches: the cost of a hit beside a cache engine and beside a request, the hit ratio, and the cost for a sign-out and for an idle
//! server.

mod accounts;
mod fleet;
mod hits;
mod hits_vs_redis;
mod idle;
mod messages;
mod server;
mod sign_out;
mod traffic;
mod workload;

use crate::{Result, args::Args, figure::Figure};

/// How many accounts servers keep copies of, where what copies cost is to be seen not to grow with them.
const ACCOUNTS: [usize; 3] = [1, 1_000, 20_000];

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    workload::overhead(args, &mut figures).await?;
    hits::run(args, &mut figures).await?;
    hits_vs_redis::run(args, &mut figures).await?;
    workload::hit_ratio(args, &mut figures).await?;
    sign_out::run(args, &mut figures).await?;
    messages::run(args, &mut figures).await?;
    idle::run(args, &mut figures).await?;
    Ok(figures)
}

//! Local copies: what a hit costs beside the bare cache engine and beside a request, and what the copies are good for.

mod accounts;
mod hits;
mod hits_vs_redis;
mod workload;

use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    workload::overhead(args, &mut figures).await?;
    hits::run(args, &mut figures).await?;
    hits_vs_redis::run(args, &mut figures).await?;
    workload::hit_ratio(args, &mut figures).await?;
    Ok(figures)
}

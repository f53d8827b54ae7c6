//! The Redis store against the `redis` crate's multiplexed connection, one connection each.

mod bench;
mod control;
mod keyspace;
mod mass_sign_out;
mod memory;
mod requests;
mod sign_out;
mod template;
mod throughput;
mod victims;

use self::bench::Bench;
use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let bench = Bench::start(args).await?;
    let mut figures = Vec::new();
    if args.control {
        control::run(&bench, &mut figures).await?;
        return Ok(figures);
    }
    throughput::read(&bench, &mut figures).await?;
    throughput::write(&bench, &mut figures).await?;
    sign_out::run(&bench, &mut figures).await?;
    mass_sign_out::run(&bench, &mut figures).await?;
    memory::run(&bench, &mut figures).await?;
    requests::run(&bench, &mut figures).await?;
    Ok(figures)
}

//! The cost of a refresh: requests to the store and to the provider, and the wait of the callers. Also the cost of encryption, without a
//! store and a network.

mod requests;
mod seal;
mod storm;

use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    requests::run(args, &mut figures).await?;
    storm::run(args, &mut figures)?;
    seal::run(args, &mut figures).await?;
    figures.retain(|figure: &Figure| args.wants(&figure.name));
    Ok(figures)
}

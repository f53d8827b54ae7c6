//! What lies between a caller and a provider: what a refresh asks of the store and of the provider, how long callers wait, and
//! sealing, without a store and without a network.

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

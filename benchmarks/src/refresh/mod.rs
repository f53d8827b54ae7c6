//! What lies between a caller and a provider: sealing, without a store and without a network.

mod seal;

use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    seal::run(args, &mut figures).await?;
    Ok(figures)
}

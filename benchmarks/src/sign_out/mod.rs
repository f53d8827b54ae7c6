//! What a provider's logout message costs to take, on the memory store and without a socket; and that no body at all is a server
//! error or ends a session.

mod back_channel;
mod bodies;
mod provider;

use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    back_channel::run(args, &mut figures).await?;
    bodies::run(args, &mut figures).await?;
    Ok(figures)
}

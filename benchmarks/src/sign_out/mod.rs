//! What a provider's logout message costs to take, on the memory store and without a socket; that no body at all is a server error
//! or ends a session; and how long it takes until another server refuses, on real stores.

mod back_channel;
mod bodies;
mod end_to_end;
mod provider;

use crate::{Result, args::Args, figure::Figure};

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    back_channel::run(args, &mut figures).await?;
    bodies::run(args, &mut figures).await?;
    end_to_end::run(args, &mut figures).await?;
    Ok(figures)
}

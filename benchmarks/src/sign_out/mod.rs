//! The cost of a provider's logout message.
//!
//! - The time to handle one, on the memory store and without a socket.
//! - Invalid bodies: none may cause a server error or end a session.
//! - The time until another server refuses the user, on real stores.

mod back_channel;
mod bodies;
mod end_to_end;
mod provider;

use crate::{Result, args::Args, figure::Figure};

/// Returns all results of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    back_channel::run(args, &mut figures).await?;
    bodies::run(args, &mut figures).await?;
    end_to_end::run(args, &mut figures).await?;
    Ok(figures)
}

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// token-cache side by side with the raw client.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Args {
    /// The suite to run.
    pub(crate) suite: Suite,
    /// Writes the figures to a file as well: a list of name, ratio, goal, holds.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Fewer and shorter rounds: to see that it runs, not to compare.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only figures whose name starts so, such as `redis/read`.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) only: String,
    /// A server to measure on, `redis://…`; by default a local one is started. Everything is kept under a prefix of its own.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The price of a million read request units, for the suite `dynamodb`.
    #[arg(long, value_name = "PRICE", default_value_t = 0.125)]
    pub(crate) read_price: f64,
    /// The price of a million write request units.
    #[arg(long, value_name = "PRICE", default_value_t = 0.625)]
    pub(crate) write_price: f64,
    /// How many rounds a figure has.
    #[arg(long, default_value_t = 11)]
    pub(crate) rounds: usize,
    /// How many threads the clients have.
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    /// The raw client against itself: how far apart two equal sides come out on this machine.
    #[arg(long)]
    pub(crate) control: bool,
    /// Fails where a goal is missed.
    #[arg(long)]
    pub(crate) check: bool,
}

/// A suite of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The Redis store against the `redis` crate.
    Redis,
    /// The capacity that the DynamoDB store uses, beside two usual designs.
    Dynamodb,
    /// The cost of a refresh between a caller and a provider.
    Refresh,
    /// Near caches beside a bare cache engine and beside requests.
    NearCache,
    /// The cost of handling a provider's message.
    SignOut,
}

impl Args {
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.starts_with(&self.only)
    }

    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 3 } else { self.rounds.max(1) }
    }
}

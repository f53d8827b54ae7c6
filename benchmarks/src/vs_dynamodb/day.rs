//! The cost of a day of a million users at on-demand prices, which the reader gives.

use super::{Cost, Operations, bench::Size};
use crate::args::Args;

const USERS: f64 = 1_000_000.0;
const READS: f64 = 100.0;
const REFRESHES: f64 = 8.0;

/// A day in which each user signs in, has tokens read and refreshed, and signs out.
pub(super) fn cost(args: &Args, size: &Size, each: &Operations, sign_in: Cost) -> String {
    let refresh = each.refresh.unwrap_or_default();
    let of = |unit: fn(&Cost) -> f64| {
        unit(&sign_in)
            + unit(&each.write)
            + READS * unit(&each.read)
            + REFRESHES * unit(&refresh)
            + unit(&each.sign_out)
    };
    let (rcu, wcu) = (of(|cost| cost.rcu), of(|cost| cost.wcu));
    // Prices are of a million, and so are the users: a user's units are millions of units.
    let price = USERS / 1e6 * (rcu * args.read_price + wcu * args.write_price);
    format!("| {} | {rcu} | {wcu} | {price:.0} |", size.value)
}

/// Returns the assumptions of the table's columns.
pub(super) fn assumptions(args: &Args) -> String {
    format!(
        "A day of a million users, each with a sign-in, {READS} reads, {REFRESHES} refreshes and a sign-out, at {} a million \
         read units and {} a million write units:",
        args.read_price, args.write_price
    )
}

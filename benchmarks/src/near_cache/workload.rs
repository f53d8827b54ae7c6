use std::fs;

use token_cache::near_cache::NearCacheConfig;

use super::accounts::{Accounts, share, zipf};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

const RATIO: &str = "near-cache/hit-ratio";
const OVERHEAD: &str = "near-cache/overhead";

const ACCOUNTS: usize = 100_000;
const NEAR_CACHE: usize = 10_000;

/// The bytes that [`NearCacheConfig::max_bytes`] counts for a copy in addition to its value.
const COUNTED: f64 = 288.0;

/// Measures the hit ratio of a workload in which the account of rank n is read 1/n as often as the first.
///
/// The copies have room for a tenth of the accounts. The goal compares with a cache that holds the busiest tenth from the start.
pub(super) async fn hit_ratio(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(RATIO) {
        return Ok(());
    }
    report::progress(RATIO);
    let policy = NearCacheConfig::new().max_entries(NEAR_CACHE);
    let accounts = Accounts::new(ACCOUNTS, 1 << 10, policy).await?;
    let draws = if args.quick { 100_000 } else { 1_000_000 };
    let order = zipf(ACCOUNTS, 2 * draws);
    let (warm, counted) = order.split_at(draws);
    for number in warm {
        accounts.read(&accounts.entries[*number]).await?;
    }
    let mut hits = 0_u32;
    for number in counted {
        let at = &accounts.entries[*number];
        if accounts.hit(at).is_some() {
            hits += 1;
        } else {
            accounts.read(at).await?;
        }
    }
    let share_of = |ranks: usize| (1..=ranks).map(share).sum::<f64>();
    let best = share_of(NEAR_CACHE) / share_of(ACCOUNTS);
    #[expect(clippy::cast_precision_loss, reason = "far fewer draws than 2^52")]
    let ratio = f64::from(hits) / draws as f64;
    let size = accounts.size();
    let figure = Figure::new(RATIO.to_owned(), &[ratio / best], Better::Higher, 0.9);
    figures.push(figure.detail(format!(
        "{:.1} % hits, {:.1} % the best there can be; {} copies of {ACCOUNTS} accounts, {:.1} MB",
        ratio * 100.0,
        best * 100.0,
        size.items,
        f64::from(u32::try_from(size.bytes)?) / 1e6,
    )));
    Ok(())
}

/// The memory that a copy takes beside its value, over what it is counted as. The values are the memory store's own, which shares
/// them. No figure where the system does not tell. It is to be measured first: memory that was freed before is taken again unseen.
pub(super) async fn overhead(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    if !args.wants(OVERHEAD) {
        return Ok(());
    }
    report::progress(OVERHEAD);
    let policy = NearCacheConfig::new()
        .max_entries(2 * ACCOUNTS)
        .max_bytes(1 << 30);
    let accounts = Accounts::new(ACCOUNTS, 16, policy).await?;
    let Some(before) = resident() else {
        return Ok(());
    };
    accounts.read_all().await?;
    let after = resident().unwrap_or(before);
    let items = accounts.size().items;
    let per_item = (after - before) / f64::from(u32::try_from(items)?);
    let ratio = [per_item / COUNTED];
    let figure = Figure::new(OVERHEAD.to_owned(), &ratio, Better::Lower, 1.0);
    figures.push(figure.detail(format!(
        "{per_item:.0} bytes a copy, of {items} accounts with one"
    )));
    Ok(())
}

/// The bytes of this process that are in memory.
fn resident() -> Option<f64> {
    const PAGE: f64 = 4_096.0;
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<f64>().ok()? * PAGE)
}

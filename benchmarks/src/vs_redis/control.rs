use super::{
    bench::Bench,
    throughput::{Callers, compare, hmgets},
};
use crate::{Result, figure::Figure, report};

/// `HMGET` against itself: what a ratio of two equal sides looks like on this machine.
pub(super) async fn run(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for count in [1, 16, 64] {
        let name = format!("redis/control/{count}");
        report::progress(&name);
        let callers = Callers::new(bench, count).await?;
        let watch = bench.watch();
        let side = (callers.raw(), hmgets);
        let compared = compare(bench, side, side).await?;
        figures.push(compared.figure(name, 0.95).beside(&watch));
    }
    Ok(())
}

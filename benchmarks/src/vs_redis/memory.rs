use super::{
    bench::{Bench, account, sign_in, token},
    template,
};
use crate::{
    Result,
    figure::{Better, Figure},
    report,
};

const VALUE: usize = 1024;

/// How many accounts are measured together: enough that what the server itself takes now and then is lost in them.
const ACCOUNTS: usize = 2_000;
const CALLERS: usize = 50;

/// How many entries, and our own budget.
const SIZES: [(usize, f64); 3] = [(1, 1.7), (3, 1.5), (10, 1.4)];

/// The bytes that an account of so many entries of 1 KB takes in the server, over the bytes of the values.
pub(super) async fn run(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for (entries, budget) in SIZES {
        let name = format!("redis/memory/{entries}");
        if !bench.args.wants(&name) {
            continue;
        }
        report::progress(&name);
        bench.keyspace.clear(&[]).await?;
        let mut ratios = Vec::new();
        // The first round is thrown away: it grows the server's own tables and buffers.
        for round in 0..=bench.args.rounds() {
            let before = bench.keyspace.used_memory().await?;
            fill(bench, round * ACCOUNTS, entries).await?;
            let after = bench.keyspace.used_memory().await?;
            bench.keyspace.clear(&[]).await?;
            if round > 0 {
                let grown = u32::try_from(after.saturating_sub(before))?;
                let values = u32::try_from(ACCOUNTS * entries * VALUE)?;
                ratios.push(f64::from(grown) / f64::from(values));
            }
        }
        let figure = Figure::new(name, &ratios, Better::Lower, budget);
        let values = f64::from(u32::try_from(entries * VALUE)?);
        let detail = format!(
            "{:.0} bytes for {values} of values",
            figure.ratio.median * values
        );
        figures.push(figure.detail(detail));
    }
    Ok(())
}

async fn fill(bench: &Bench, first: usize, entries: usize) -> Result<()> {
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let cache = bench.cache.clone();
        callers.push(tokio::spawn(async move {
            let value = token(VALUE);
            for number in (first + caller..first + ACCOUNTS).step_by(CALLERS) {
                let session = sign_in(&cache, account(number)?).await?;
                for entry in 0..entries {
                    session
                        .put(&template::entry(entry)?, value.as_slice())
                        .await?;
                }
            }
            Result::Ok(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

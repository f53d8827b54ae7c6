use token_cache::TokenCache;
use token_cache_integration_tests::servers::Proxy;

use super::{
    bench::{Bench, account, sign_in, token},
    template::{self, VALUE},
};
use crate::{
    Result,
    figure::{Better, Figure},
    report,
};

/// How many operations are counted together.
const OPERATIONS: usize = 100;

/// The requests that an operation sends, counted by a proxy between the cache and the server. The look at the namespace's
/// record, once a second, is counted as well: it is what lifts a round above the whole number.
pub(super) async fn run(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    bench.keyspace.clear(&[]).await?;
    let proxy = Proxy::start(bench.address()?)?;
    let counted = Counted {
        cache: bench.cache_by(proxy.address()).await?,
        proxy,
        rounds: bench.args.rounds(),
    };
    for name in [
        "redis/requests/read",
        "redis/requests/write",
        "redis/requests/sign-out",
    ] {
        if !bench.args.wants(name) {
            continue;
        }
        report::progress(name);
        let counts = match name {
            "redis/requests/read" => counted.reads().await?,
            "redis/requests/write" => counted.writes().await?,
            _ => counted.sign_outs().await?,
        };
        figures.push(Figure::new(name.to_owned(), &counts, Better::Lower, 1.0));
    }
    Ok(())
}

struct Counted {
    cache: TokenCache,
    proxy: Proxy,
    rounds: usize,
}

impl Counted {
    async fn reads(&self) -> Result<Vec<f64>> {
        let session = sign_in(&self.cache, account(0)?).await?;
        let key = template::entry(0)?;
        session.put(&key, token(VALUE)).await?;
        self.count(async |_| match session.get(&key).await? {
            Some(_) => Ok(()),
            None => Err("the entry is gone".into()),
        })
        .await
    }

    async fn writes(&self) -> Result<Vec<f64>> {
        let session = sign_in(&self.cache, account(0)?).await?;
        let (key, value) = (template::entry(0)?, token(VALUE));
        self.count(async |_| Ok(session.put(&key, value.as_slice()).await?))
            .await
    }

    async fn sign_outs(&self) -> Result<Vec<f64>> {
        let operations = self.rounds * OPERATIONS;
        for number in 0..=operations {
            let session = sign_in(&self.cache, account(number)?).await?;
            session.put(&template::entry(0)?, token(VALUE)).await?;
        }
        self.count(async |number| {
            let report = self.cache.sign_out_account(&account(number)?).await?;
            if report.ended {
                Ok(())
            } else {
                Err("no session was signed in".into())
            }
        })
        .await
    }

    /// The requests an operation, a round. The first operation is not counted: the server may not know its script yet.
    async fn count(&self, operation: impl AsyncFn(usize) -> Result<()>) -> Result<Vec<f64>> {
        operation(self.rounds * OPERATIONS).await?;
        let mut counts = Vec::new();
        for round in 0..self.rounds {
            let before = self.proxy.requests();
            for number in 0..OPERATIONS {
                operation(round * OPERATIONS + number).await?;
            }
            let sent = u32::try_from(self.proxy.requests() - before)?;
            counts.push(f64::from(sent) / f64::from(u32::try_from(OPERATIONS)?));
        }
        Ok(counts)
    }
}

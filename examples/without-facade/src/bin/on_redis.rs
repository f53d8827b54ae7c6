//! `cargo run -p token-cache-example-without-facade --features redis --bin on_redis -- redis://127.0.0.1/`

use token_cache_example_without_facade::{Failure, run, url};
use token_cache_redis::{RedisConfig, RedisStore};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    run(RedisStore::connect(RedisConfig::from_url(&url()?)?).await?).await
}

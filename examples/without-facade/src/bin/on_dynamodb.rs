//! `cargo run -p token-cache-example-without-facade --features dynamodb --bin on_dynamodb -- dynamodb://tokens`

use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_example_without_facade::{Failure, run, url};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    run(DynamoDbStore::connect(DynamoDbConfig::from_url(&url()?)?).await?).await
}

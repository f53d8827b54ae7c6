//! The estimate of the table's clock from dates in whole seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
};
use token_cache_core::TokenStore;
use token_cache_dynamodb::DynamoDbStore;

use crate::engine::config;
use crate::on_an_engine::engine;

/// A tenth of a second, and what a busy machine adds to a request.
const NARROW: Duration = Duration::from_millis(250);

/// How many answers came.
#[derive(Debug, Clone, Default)]
struct Answers(Arc<AtomicUsize>);

impl Intercept for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Answers {
    async fn until(&self, count: usize) {
        while self.0.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The estimate becomes far narrower than the precision of a date, without a request of the caller.
#[tokio::test]
async fn the_estimate_becomes_narrow_by_itself() {
    let answers = Answers::default();
    let settings = engine().settings().interceptor(answers.clone());
    let client = Client::from_conf(settings.build());
    let store = DynamoDbStore::existing_client(&client, config("clock-1"))
        .await
        .unwrap();
    let at_connect = store.namespace().await.unwrap();
    let mut seen = answers.0.load(Ordering::SeqCst) + 20;
    loop {
        answers.until(seen).await;
        let later = store.namespace().await.unwrap();
        assert!(later.time > at_connect.time);
        if later.precision <= NARROW {
            return;
        }
        // The machine was busy when the second turned: there is another probe in a while.
        seen = answers.0.load(Ordering::SeqCst) + 1;
    }
}

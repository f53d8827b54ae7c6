use std::env;

#[cfg(feature = "containers")]
use super::container::DynamoDbContainer;
use super::{DynamoDbEngine, Kept, engine, table};
use crate::servers::ServerError;
#[cfg(feature = "containers")]
use crate::servers::engine as containers;
use crate::servers::publish::publish;

/// Names a DynamoDB for tests by its endpoint, `http://localhost:8000` or `https://dynamodb.eu-central-1.amazonaws.com`; it
/// may be shared with others. AWS's own, or DynamoDB Local as its user has it: that program's licence binds its user to an
/// AWS account, so nothing here downloads it.
pub const DYNAMODB_VARIABLE: &str = "TOKEN_CACHE_TEST_DYNAMODB";

/// A DynamoDB from wherever one is to be had: environment, container engine, a process of our own.
///
/// It may be shared, so a test uses a random prefix and wipes nothing. The table for tests is made where it is missing, and
/// stays.
#[derive(Debug)]
pub struct TestDynamoDb {
    endpoint: String,
    how: String,
    _keep: Keep,
}

/// What must live as long as the engine is used.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their Drop")]
enum Keep {
    Nothing,
    Engine(Box<DynamoDbEngine>),
    #[cfg(feature = "containers")]
    Container(DynamoDbContainer),
}

impl TestDynamoDb {
    /// Finds or starts one, and says once which it is.
    ///
    /// # Errors
    /// None is to be had; the text says what to do.
    pub fn provide() -> Result<Self, ServerError> {
        let found = Self::find()?;
        table::ensure(&found.endpoint)?;
        publish("dynamodb", &found.how);
        Ok(found)
    }

    fn find() -> Result<Self, ServerError> {
        if let Some(endpoint) = env::var(DYNAMODB_VARIABLE)
            .ok()
            .filter(|value| !value.is_empty())
        {
            let how = format!("the endpoint that {DYNAMODB_VARIABLE} names, {endpoint}");
            return Ok(Self {
                endpoint,
                how,
                _keep: Keep::Nothing,
            });
        }
        #[cfg(feature = "containers")]
        if let Some(engine) = containers::answering() {
            let container = DynamoDbContainer::start(&engine)?;
            return Ok(Self {
                endpoint: container.endpoint(),
                how: container.describe(),
                _keep: Keep::Container(container),
            });
        }
        let engine = DynamoDbEngine::start(Kept::InMemory)?;
        let endpoint = engine.endpoint();
        let how = format!("dynoxide in a process of our own at {endpoint}");
        Ok(Self {
            endpoint,
            how,
            _keep: Keep::Engine(Box::new(engine)),
        })
    }

    /// `http://…` or `https://…`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// `dynamodb://…`: the table for tests there.
    pub fn url(&self) -> String {
        engine::store_url(&self.endpoint)
    }

    /// Where it came from, such as `dynoxide in a process of our own at http://127.0.0.1:12345`.
    pub fn how(&self) -> &str {
        &self.how
    }
}

use std::env;

#[cfg(feature = "containers")]
use super::container::DynamoDbContainer;
use super::{DynamoDbEngine, Kept, engine, table};
use crate::servers::ServerError;
#[cfg(feature = "containers")]
use crate::servers::engine as containers;
use crate::servers::provided::report_server;

/// The environment variable with the endpoint of a DynamoDB for tests, `http://localhost:8000` or
/// `https://dynamodb.eu-central-1.amazonaws.com`. It may be shared. It may be AWS's own, or a DynamoDB Local that the user has installed:
/// that program's licence binds its user to an AWS account, so nothing here downloads it.
pub const DYNAMODB_VARIABLE: &str = "TOKEN_CACHE_TEST_DYNAMODB";

/// A DynamoDB from the environment, a container engine, or a local process.
///
/// It may be shared. A test must therefore use a random prefix and wipe nothing. The table for tests is created if it does not exist, and
/// is never deleted.
#[derive(Debug)]
pub struct TestDynamoDb {
    endpoint: String,
    how: String,
    _keep: Keep,
}

/// Resources that must live as long as the engine is used.
#[derive(Debug)]
#[expect(dead_code, reason = "owned for their Drop")]
enum Keep {
    Nothing,
    Engine(Box<DynamoDbEngine>),
    #[cfg(feature = "containers")]
    Container(DynamoDbContainer),
}

impl TestDynamoDb {
    /// Finds or starts an engine, and prints once which one it is.
    ///
    /// # Errors
    /// No engine is available. The message says what to do.
    pub fn provide() -> Result<Self, ServerError> {
        let found = Self::find()?;
        table::ensure(&found.endpoint)?;
        report_server("dynamodb", &found.how);
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
        let how = format!("dynoxide in a local process at {endpoint}");
        Ok(Self {
            endpoint,
            how,
            _keep: Keep::Engine(Box::new(engine)),
        })
    }

    /// Returns its endpoint, `http://…` or `https://…`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the store URL of the table for tests, `dynamodb://…`.
    pub fn url(&self) -> String {
        engine::store_url(&self.endpoint)
    }

    /// Returns its source, such as `dynoxide in a local process at http://127.0.0.1:12345`.
    pub fn how(&self) -> &str {
        &self.how
    }
}

use std::collections::HashMap;

use super::RegisteredClient;
use crate::error::StartError;

/// The clients, by their ids.
pub(super) struct Registry(HashMap<String, RegisteredClient>);

impl Registry {
    pub(super) fn new(clients: Vec<RegisteredClient>) -> Result<Self, StartError> {
        let mut registry = HashMap::new();
        for client in clients {
            client.check()?;
            if let Some(twice) = registry.insert(client.id.clone(), client) {
                return Err(StartError::new(format!(
                    "two clients are registered as {:?}",
                    twice.id
                )));
            }
        }
        Ok(Self(registry))
    }

    pub(super) fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.0.get(id)
    }
}

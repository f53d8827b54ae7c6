use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use token_cache_core::{
    AccountKey, Acknowledgement, BackplaneConnection, Invalidation, InvalidationId,
    InvalidationListener, InvalidationMessage, LeaseHolder, Published, RegistryId, ServerId,
    TokenStore,
};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_hold},
    setup::backplane_of,
};

/// A listener that records every message of its server, and acknowledges each invalidation message.
#[derive(Debug)]
pub(crate) struct RecordingListener {
    server: ServerId,
    told: Mutex<Vec<InvalidationMessage>>,
    answers: Mutex<Vec<Acknowledgement>>,
}

impl InvalidationListener for RecordingListener {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        locked(&self.told).push(message.clone());
        Some(Acknowledgement {
            message: message.id,
            server: self.server,
            knows: Some(RegistryId::from_bytes(*message.id.as_bytes())),
        })
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        locked(&self.answers).push(*acknowledgement);
    }
}

fn locked<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server with a store and an open backplane connection.
pub(crate) struct Connected {
    pub(crate) id: ServerId,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) connection: Arc<dyn BackplaneConnection>,
    recorder: Arc<RecordingListener>,
}

impl Connected {
    /// A new server, with a handle of its own.
    pub(crate) async fn new(setup: &Setup) -> Result<Self, Violation> {
        Self::over(setup.another_server().await?).await
    }

    pub(crate) async fn over(store: Arc<dyn TokenStore>) -> Result<Self, Violation> {
        let id = ServerId::mint().should_work("minting a server's id")?;
        Self::named(id, store).await
    }

    pub(crate) async fn named(id: ServerId, store: Arc<dyn TokenStore>) -> Result<Self, Violation> {
        let recorder = Arc::new(RecordingListener {
            server: id,
            told: Mutex::default(),
            answers: Mutex::default(),
        });
        let listener: Arc<dyn InvalidationListener> = Arc::clone(&recorder) as _;
        let connection = backplane_of(&*store)?
            .connect(id, listener)
            .await
            .should_work("opening the backplane")?;
        Ok(Self {
            id,
            store,
            connection,
            recorder,
        })
    }

    pub(crate) async fn renews(&self) -> Result<RegistryId, Violation> {
        self.connection
            .renew()
            .await
            .should_work("renewing the lease")
    }

    pub(crate) async fn publishes(&self, what: Invalidation) -> Result<Published, Violation> {
        backplane_of(&*self.store)?
            .publish(Some(self.id), what)
            .await
            .should_work("publishing")
    }

    /// Publishes an invalidation of no accounts, and returns the lease holders that the store read from the registry.
    pub(crate) async fn holders(&self) -> Result<Vec<LeaseHolder>, Violation> {
        let no_accounts = Invalidation::Accounts(Vec::new());
        Ok(self.publishes(no_accounts).await?.holders)
    }

    /// The invalidation message of an id, if it was heard.
    pub(crate) fn heard(&self, id: InvalidationId) -> Option<InvalidationMessage> {
        let told = locked(&self.recorder.told);
        told.iter().find(|told| told.id == id).cloned()
    }

    pub(crate) fn has_heard(
        &self,
        id: InvalidationId,
        account: &AccountKey,
    ) -> Result<(), Violation> {
        let heard = self.heard(id).map(|heard| heard.what);
        should_hold(
            heard == Some(Invalidation::Accounts(vec![*account])),
            "the account's invalidation message, heard before the renewal returned",
            &format!("{heard:?}"),
        )
    }

    /// Returns the acknowledgements of an invalidation message.
    pub(crate) fn answers_to(&self, id: InvalidationId) -> Vec<Acknowledgement> {
        let answers = locked(&self.recorder.answers);
        answers
            .iter()
            .filter(|answer| answer.message == id)
            .copied()
            .collect()
    }
}

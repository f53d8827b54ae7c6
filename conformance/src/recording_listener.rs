use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use token_cache_core::{
    AccountKey, Acknowledgement, Announced, Announcement, AnnouncementId, Invalidation,
    LeaseHolder, LinkConnection, Listener, RegistryId, ServerId, TokenStore,
};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_hold},
    setup::link_of,
};

/// A listener that records every message of its server, and acknowledges each announcement.
#[derive(Debug)]
pub(crate) struct RecordingListener {
    server: ServerId,
    told: Mutex<Vec<Announcement>>,
    answers: Mutex<Vec<Acknowledgement>>,
}

impl Listener for RecordingListener {
    fn announced(&self, announcement: &Announcement) -> Option<Acknowledgement> {
        locked(&self.told).push(announcement.clone());
        Some(Acknowledgement {
            announcement: announcement.id,
            server: self.server,
            knows: Some(RegistryId::from_bytes(*announcement.id.as_bytes())),
        })
    }

    fn acknowledged(&self, acknowledgement: &Acknowledgement) {
        locked(&self.answers).push(*acknowledgement);
    }
}

fn locked<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server with a store and an open link.
pub(crate) struct Linked {
    pub(crate) id: ServerId,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) connection: Arc<dyn LinkConnection>,
    recorder: Arc<RecordingListener>,
}

impl Linked {
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
        let listener: Arc<dyn Listener> = Arc::clone(&recorder) as _;
        let connection = link_of(&*store)?
            .connect(id, listener)
            .await
            .should_work("opening the link")?;
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

    pub(crate) async fn announces(&self, what: Invalidation) -> Result<Announced, Violation> {
        link_of(&*self.store)?
            .announce(Some(self.id), what)
            .await
            .should_work("announcing")
    }

    /// Announces an empty list, to read the registry.
    pub(crate) async fn holders(&self) -> Result<Vec<LeaseHolder>, Violation> {
        let nobody = Invalidation::Accounts(Vec::new());
        Ok(self.announces(nobody).await?.holders)
    }

    /// The announcement of an id, if it was heard.
    pub(crate) fn heard(&self, id: AnnouncementId) -> Option<Announcement> {
        let told = locked(&self.recorder.told);
        told.iter().find(|told| told.id == id).cloned()
    }

    pub(crate) fn has_heard(
        &self,
        id: AnnouncementId,
        account: &AccountKey,
    ) -> Result<(), Violation> {
        let heard = self.heard(id).map(|heard| heard.what);
        should_hold(
            heard == Some(Invalidation::Accounts(vec![*account])),
            "the account's announcement, heard before the renewal returned",
            &format!("{heard:?}"),
        )
    }

    /// Returns the acknowledgements of an announcement.
    pub(crate) fn answers_to(&self, id: AnnouncementId) -> Vec<Acknowledgement> {
        let answers = locked(&self.recorder.answers);
        answers
            .iter()
            .filter(|answer| answer.announcement == id)
            .copied()
            .collect()
    }
}

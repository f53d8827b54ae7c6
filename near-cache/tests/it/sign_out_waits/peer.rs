use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use token_cache_core::{
    Acknowledgement, BackplaneConnection, Invalidation, InvalidationListener, InvalidationMessage,
    MemoryStore, NamespaceRecord, RegistryId, ServerId, TokenStore,
};

use super::fleet::LEASE;

/// Another server of the fleet, with a lease, which the test controls.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) server: ServerId,
    heard: Mutex<Vec<Invalidation>>,
    answers: AtomicBool,
    vouches: AtomicBool,
    registry: Mutex<Option<RegistryId>>,
    connection: Mutex<Option<Arc<dyn BackplaneConnection>>>,
}

impl Peer {
    /// Returns a server that has a lease and acknowledges. It has known the registry for no time.
    pub(crate) async fn join(store: &MemoryStore) -> Arc<Self> {
        record_near_cache_life(store).await;
        let peer = Arc::new(Self {
            server: ServerId::mint().unwrap(),
            heard: Mutex::default(),
            answers: AtomicBool::new(true),
            vouches: AtomicBool::new(false),
            registry: Mutex::default(),
            connection: Mutex::default(),
        });
        let listener = Arc::clone(&peer) as Arc<dyn InvalidationListener>;
        let backplane = TokenStore::backplane(store).unwrap();
        let connection = backplane.connect(peer.server, listener).await.unwrap();
        *peer.registry.lock().unwrap() = Some(connection.renew().await.unwrap());
        *peer.connection.lock().unwrap() = Some(connection);
        peer
    }

    /// Stops the acknowledgements. The server still receives invalidation messages.
    pub(crate) fn fall_silent(&self) {
        self.answers.store(false, Ordering::SeqCst);
    }

    /// Makes the acknowledgements state that the server has known the registry for longer than any lease.
    pub(crate) fn vouch(&self) {
        self.vouches.store(true, Ordering::SeqCst);
    }

    pub(crate) async fn renew(&self) {
        let connection = self.connection.lock().unwrap().clone().unwrap();
        connection.renew().await.unwrap();
    }

    pub(crate) fn heard(&self) -> Vec<Invalidation> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

impl InvalidationListener for Peer {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        self.heard.lock().unwrap().push(message.what.clone());
        let vouches = self.vouches.load(Ordering::SeqCst);
        let answers = message.origin.is_some() && self.answers.load(Ordering::SeqCst);
        answers.then(|| Acknowledgement {
            message: message.id,
            server: self.server,
            knows: self.registry.lock().unwrap().filter(|_| vouches),
        })
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Raises the near-cache life in the namespace record, which a server with a near cache does first.
pub(crate) async fn record_near_cache_life(store: &MemoryStore) {
    let store: &dyn TokenStore = store;
    let read: NamespaceRecord = store.namespace().await.unwrap().record.unwrap();
    let raised = read.with_near_cache(LEASE);
    assert!(store.set_namespace(Some(&read), &raised).await.unwrap());
}

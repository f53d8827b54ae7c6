use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use token_cache::{
    ErrorKind, MemoryStore,
    store::{
        Acknowledgement, Backplane, Invalidation, InvalidationListener, InvalidationMessage,
        ServerId, TokenStore,
    },
};

use super::InstrumentedStore;

/// Counts what it hears.
#[derive(Debug, Default)]
struct RecordingListener(AtomicUsize);

impl RecordingListener {
    fn so_far(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl InvalidationListener for RecordingListener {
    fn published(&self, _: &InvalidationMessage) -> Option<Acknowledgement> {
        self.0.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

#[tokio::test]
async fn a_backplane_that_was_cut_hears_nothing_and_neither_does_its_connection_once_it_is_mended()
{
    let memory: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let [cut, other] = [(); 2].map(|()| InstrumentedStore::new(Arc::clone(&memory)));
    let (server, hears) = (
        ServerId::mint().unwrap(),
        Arc::new(RecordingListener::default()),
    );
    let publish = async || other.publish(None, Invalidation::Everything).await.unwrap();
    let connect = || cut.connect(server, Arc::clone(&hears) as Arc<dyn InvalidationListener>);
    let connection = connect().await.unwrap();
    connection.renew().await.unwrap();
    assert_eq!(publish().await.holders.len(), 1);
    assert_eq!(hears.so_far(), 1);

    assert!(cut.switch().cut());
    assert!(!cut.switch().cut());
    connection.lost().await;
    publish().await;
    assert_eq!(hears.so_far(), 1);
    for refused in [connection.renew().await.err(), connect().await.err()] {
        assert_eq!(refused.unwrap().kind(), ErrorKind::Unavailable);
    }

    assert!(cut.switch().mend());
    assert!(!cut.switch().mend());
    publish().await;
    assert_eq!(hears.so_far(), 1);
    assert!(connection.renew().await.is_err());
    connection.lost().await;
    drop(connection);

    let anew = connect().await.unwrap();
    anew.renew().await.unwrap();
    publish().await;
    assert_eq!(hears.so_far(), 2);
    assert_eq!(cut.switch().server(), Some(server));
}

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{message, subscriber::PendingAck};
use crate::{
    client::{Call, PubSubConnection},
    keys::Keys,
    scripts,
};

/// The most acknowledgements that wait to be sent. When it is exceeded, the connection is given up.
pub(super) const QUEUE: usize = 1_024;

/// The most acknowledgements of a pipeline.
const TOGETHER: usize = 64;

/// Sends the pending acknowledgements until the connection is lost.
pub(super) async fn send(
    pubsub: Arc<PubSubConnection>,
    keys: Keys,
    clustered: bool,
    mut queue: mpsc::Receiver<PendingAck>,
) {
    let mut pending_acks = Vec::with_capacity(TOGETHER);
    loop {
        tokio::select! {
            biased;
            () = pubsub.lost() => return,
            received = queue.recv_many(&mut pending_acks, TOGETHER) => if received == 0 { return },
        }
        let calls: Vec<_> = pending_acks
            .drain(..)
            .map(|(origin, acknowledgement)| {
                let channel = keys.own_channel(&origin);
                let message = message::acknowledgement(&acknowledgement);
                if clustered {
                    // A script, so that a demoted server refuses it: `SPUBLISH` there would reach the new primary.
                    Call::script(&scripts::ACKNOWLEDGE, [keys.registry()])
                        .bytes(&channel)
                        .bytes(&message)
                } else {
                    Call::command("SPUBLISH", channel).bytes(&message)
                }
            })
            .collect();
        if pubsub.send_all("acknowledge", &calls).await.is_err() {
            pubsub.mark_broken();
            return;
        }
    }
}

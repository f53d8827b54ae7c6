use std::sync::Arc;

use tokio::sync::mpsc;

use super::{message, subscriber::PendingAcks};
use crate::{
    client::{Call, Wire},
    keys::Keys,
    scripts,
};

/// How many wait to be sent, before the backplane is given up.
pub(super) const QUEUE: usize = 1_024;

/// How many are sent at once.
const TOGETHER: usize = 64;

/// Sends what is owed, until the backplane is lost.
pub(super) async fn send(
    wire: Arc<Wire>,
    keys: Keys,
    clustered: bool,
    mut queue: mpsc::Receiver<PendingAcks>,
) {
    let mut pending_acks = Vec::with_capacity(TOGETHER);
    loop {
        tokio::select! {
            biased;
            () = wire.lost() => return,
            received = queue.recv_many(&mut pending_acks, TOGETHER) => if received == 0 { return },
        }
        let calls: Vec<_> = pending_acks
            .drain(..)
            .map(|(origin, acknowledgement)| {
                let channel = keys.own_channel(&origin);
                let message = message::acknowledgement(&acknowledgement);
                if clustered {
                    // What a server says that is no primary any more would be carried to the one that is.
                    Call::script(&scripts::ACKNOWLEDGE, [keys.registry()])
                        .bytes(&channel)
                        .bytes(&message)
                } else {
                    Call::command("SPUBLISH", channel).bytes(&message)
                }
            })
            .collect();
        if wire.send_all("acknowledge", &calls).await.is_err() {
            wire.mark_broken();
            return;
        }
    }
}

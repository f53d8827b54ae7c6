use tokio::sync::mpsc::unbounded_channel;

use super::Wire;
use crate::{server::serve, server_caches::ServerCaches};

pub(super) fn start(caches: ServerCaches) -> Wire {
    let (to, inbox) = unbounded_channel();
    let (outbox, from) = unbounded_channel();
    tokio::spawn(serve(Some(caches), inbox, outbox));
    Wire { to, from }
}

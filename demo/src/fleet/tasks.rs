use tokio::sync::mpsc::unbounded_channel;

use super::Wire;
use crate::{columns::Columns, server::serve};

pub(super) fn start(columns: Columns) -> Wire {
    let (to, inbox) = unbounded_channel();
    let (outbox, from) = unbounded_channel();
    tokio::spawn(serve(Some(columns), inbox, outbox));
    Wire { to, from }
}

use std::{fmt, sync::OnceLock};

use token_cache::{Error, ErrorKind, Result, store::ServerId};
use tokio::sync::watch;

/// Cuts one server's link, and mends it. All other requests to the store continue. The server receives no messages of others, and has no
/// sign of that.
pub(crate) struct BackplaneSwitch {
    state: watch::Sender<State>,
    server: OnceLock<ServerId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    is_cut: bool,
    /// How often it was cut: a connection from before the last time is of no more use, since it may have missed something.
    cuts: u64,
}

impl BackplaneSwitch {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::default(),
            server: OnceLock::new(),
        }
    }

    /// Cuts the backplane. Returns `false` if it was cut already.
    pub(crate) fn cut(&self) -> bool {
        self.state.send_if_modified(|state| {
            let cuts = !state.is_cut;
            state.is_cut = true;
            state.cuts += u64::from(cuts);
            cuts
        })
    }

    /// Mends the backplane. Returns `false` if it was not cut.
    pub(crate) fn mend(&self) -> bool {
        self.state
            .send_if_modified(|state| std::mem::take(&mut state.is_cut))
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state.borrow().is_cut
    }

    /// Returns the id of the server in the fleet, or `None` before it has opened its backplane.
    pub(crate) fn server(&self) -> Option<ServerId> {
        self.server.get().copied()
    }

    /// The server opens its backplane: the number of the connection that comes of it.
    pub(super) fn open(&self, server: ServerId) -> Result<u64> {
        // A server's name stays the same for as long as it runs.
        let _ = self.server.set(server);
        let State { is_cut, cuts } = *self.state.borrow();
        if is_cut { Err(is_gone()) } else { Ok(cuts) }
    }

    /// Returns `true` if this connection is not cut.
    pub(super) fn carries(&self, connection: u64) -> bool {
        self.state.borrow().cuts == connection
    }

    pub(super) fn check(&self, connection: u64) -> Result<()> {
        if self.carries(connection) {
            Ok(())
        } else {
            Err(is_gone())
        }
    }

    /// Waits until this connection is cut.
    pub(super) async fn cut_off(&self, connection: u64) {
        let mut state = self.state.subscribe();
        // The sender is borrowed for as long as this waits, so the channel can't close.
        let _ = state.wait_for(|state| state.cuts != connection).await;
    }
}

fn is_gone() -> Error {
    Error::new(ErrorKind::Unavailable, "use the backplane").message("the backplane was cut by hand")
}

impl fmt::Debug for BackplaneSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackplaneSwitch")
            .field(&*self.state.borrow())
            .finish()
    }
}

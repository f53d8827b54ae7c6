use tokio::sync::watch;

/// Holds answers back for as long as it is closed.
pub(crate) struct Gate(watch::Sender<State>);

#[derive(Default)]
struct State {
    closed: bool,
    waiting: usize,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    pub(crate) fn close(&self) {
        self.0.send_modify(|state| state.closed = true);
    }

    pub(crate) fn open(&self) {
        self.0.send_modify(|state| state.closed = false);
    }

    pub(crate) async fn pass(&self) {
        let mut state = self.0.subscribe();
        let _waiter = Waiter::new(self);
        // The sender is borrowed for as long as this waits, so the channel can't close.
        let _ = state.wait_for(|state| !state.closed).await;
    }

    pub(crate) async fn somebody_waits(&self) {
        let mut state = self.0.subscribe();
        let held = |state: &State| state.closed && state.waiting > 0;
        let _ = state.wait_for(held).await;
    }
}

/// Counts one who waits, who may also go away.
struct Waiter<'a>(&'a Gate);

impl<'a> Waiter<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.0.send_modify(|state| state.waiting += 1);
        Self(gate)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.waiting -= 1);
    }
}

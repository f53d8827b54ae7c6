use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::Violation;

/// A record of concurrent calls, which checks G1: no call that starts after a sign-out has returned gets a token of the session.
///
/// It uses a counter instead of a clock. The start of each call and the return of each sign-out draw the next number, so their order is
/// certain.
#[derive(Debug, Default)]
pub(crate) struct History {
    counter: AtomicU64,
    sessions: Mutex<HashMap<u64, Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The time at which the first sign-out that ended it had returned.
    ended: Option<u64>,
    /// How often it was alive, and the latest start of a call that found it so.
    alive: usize,
    last_asked: u64,
}

impl History {
    /// Returns the next tick. It is taken before a call.
    pub(crate) fn tick(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// A call that started at `asked` read a token of the session, or wrote one, or took the session up.
    pub(crate) fn was_alive(&self, session: u64, asked: u64) {
        self.with(session, |seen| {
            seen.alive += 1;
            seen.last_asked = seen.last_asked.max(asked);
        });
    }

    /// A sign-out that ends the session has returned.
    pub(crate) fn has_ended(&self, session: u64) {
        let now = self.tick();
        self.with(session, |seen| {
            seen.ended.get_or_insert(now);
        });
    }

    /// How often the session was alive so far.
    pub(crate) fn times_alive(&self, session: u64) -> usize {
        self.with(session, |seen| seen.alive)
    }

    /// Checks what was recorded.
    ///
    /// # Errors
    /// Returns a violation if a call that started after the sign-out had returned found the session alive.
    pub(crate) fn check(&self) -> Result<(), Violation> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = sessions
            .values()
            .filter(|seen| seen.ended.is_some_and(|ended| ended < seen.last_asked))
            .count();
        if broken == 0 {
            return Ok(());
        }
        Err(Violation::new(
            "no session alive to a call that started after its sign-out had returned",
            format!("{broken} of {} sessions were", sessions.len()),
        ))
    }

    fn with<T>(&self, session: u64, step: impl FnOnce(&mut Seen) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        step(sessions.entry(session).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_was_under_way_is_no_violation() {
        let history = History::default();
        let asked = history.tick();
        history.has_ended(1);
        history.was_alive(1, asked);
        assert!(history.check().is_ok());
    }

    #[test]
    fn one_sessions_end_is_not_anothers() {
        let history = History::default();
        history.has_ended(1);
        let asked = history.tick();
        history.was_alive(2, asked);
        assert!(history.check().is_ok());
    }

    #[test]
    fn a_second_sign_out_excuses_nothing() {
        let history = History::default();
        history.has_ended(1);
        let asked = history.tick();
        history.has_ended(1);
        history.was_alive(1, asked);
        assert!(history.check().is_err());
    }

    #[test]
    fn an_earlier_read_recorded_last_excuses_nothing() {
        let history = History::default();
        let early = history.tick();
        history.has_ended(1);
        let late = history.tick();
        history.was_alive(1, late);
        history.was_alive(1, early);
        assert!(history.check().is_err());
    }
}

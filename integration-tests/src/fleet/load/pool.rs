use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use crate::{
    fleet::{random::Random, wire::Known},
    history::SessionNumber,
};

/// Small, so that the tasks use the same sessions. Ended ones stay until newer ones replace them.
const SIZE: usize = 32;

/// The sessions that an app server's users have.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<VecDeque<Known>>);

impl Pool {
    pub(super) fn add(&self, known: Known) {
        let mut pool = self.lock();
        pool.push_back(known);
        if pool.len() > SIZE {
            pool.pop_front();
        }
    }

    /// Returns one of them, or `None` if there is no session.
    pub(super) fn choose(&self, random: &mut Random) -> Option<Known> {
        let mut pool = self.lock();
        random.choose(pool.make_contiguous()).cloned()
    }

    pub(super) fn forget(&self, session: SessionNumber) {
        self.lock().retain(|known| known.session != session);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

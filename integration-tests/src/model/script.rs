//! Helpers that scenarios are written with.

use std::time::Duration;

use super::{
    mutants::Bent,
    scenario::{Act, Actor, Scenario, SignInAct, StoreLike},
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn sign_in() -> Actor {
    begins(|_| {})
}

pub(super) fn sign_in_at(user: u8, browser: u8) -> Actor {
    begins(|act| (act.user, act.browser) = (user, browser))
}

pub(super) fn without_sid() -> Actor {
    begins(|act| (act.browser, act.with_sid) = (1, false))
}

pub(super) fn begins(change: impl FnOnce(&mut SignInAct)) -> Actor {
    let mut act = SignInAct {
        user: 0,
        browser: 0,
        with_sid: true,
        auth_time: true,
        background_access: false,
        life: 480 * MINUTE,
    };
    change(&mut act);
    Act::SignIn(act).now()
}

pub(super) fn message(user: Option<u8>) -> Act {
    Act::Message {
        browser: 0,
        user,
        means_account: false,
    }
}

impl Act {
    pub(super) fn now(self) -> Actor {
        self.after(&[])
    }

    pub(super) fn after(self, others: &[usize]) -> Actor {
        Actor {
            act: self,
            after: others.to_vec(),
        }
    }
}

impl Actor {
    pub(super) fn behind(mut self, others: &[usize]) -> Self {
        self.after = others.to_vec();
        self
    }
}

impl Scenario {
    pub(super) fn new(store: StoreLike, name: &str, actors: Vec<Actor>) -> Self {
        Self {
            name: name.to_owned(),
            store,
            bent: Bent::default(),
            actors,
            browsers: 1,
            skew: 0,
            jumps: Vec::new(),
            faults: 0,
        }
    }

    pub(super) fn named(mut self, store: &str) -> Self {
        self.name = format!("{store}: {}", self.name);
        self
    }

    pub(super) fn faults(mut self, faults: u8) -> Self {
        self.faults = faults;
        self
    }

    pub(super) fn skew(mut self, millis: i64) -> Self {
        self.skew = millis;
        self
    }

    pub(super) fn browsers(mut self, browsers: u8) -> Self {
        self.browsers = browsers;
        self
    }

    pub(super) fn jumps(mut self, minutes: &[u32]) -> Self {
        self.jumps = minutes.iter().map(|minutes| *minutes * MINUTE).collect();
        self
    }
}

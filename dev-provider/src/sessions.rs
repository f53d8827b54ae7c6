use std::collections::BTreeSet;

use super::bounded::Bounded;

const MOST: usize = 1000;
/// The most sign-ins that a session remembers. If a user signs in more often in one browser, the apps of the first sign-ins get no message.
const PARTICIPANTS: usize = 64;

/// A browser in which somebody is signed in at the provider.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) auth_time: u64,
    pub(super) sid: String,
    /// The clients that get a message when it ends.
    pub(super) participants: BTreeSet<Participant>,
}

/// An app that was given a code, and the `sid` that it knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Participant {
    pub(super) client: String,
    pub(super) sid: String,
}

impl Session {
    pub(super) fn join(&mut self, client: &str) {
        if self.participants.len() < PARTICIPANTS {
            self.participants.insert(Participant {
                client: client.to_owned(),
                sid: self.sid.clone(),
            });
        }
    }

    /// Returns `true` if an ID token with these claims was issued in this session.
    pub(super) fn is_of(&self, subject: &str, sid: &str) -> bool {
        let mut sids = self.participants.iter().map(|one| one.sid.as_str());
        self.subject == subject && (self.sid == sid || sids.any(|one| one == sid))
    }
}

/// The sessions, by the values of their cookies.
pub(super) struct Sessions(Bounded<Session>);

impl Sessions {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MOST))
    }

    pub(super) fn begin(&mut self, cookie: String, session: Session) {
        self.0.insert(cookie, session);
    }

    pub(super) fn of(&self, cookie: &str) -> Option<&Session> {
        self.0.get(cookie)
    }

    pub(super) fn of_mut(&mut self, cookie: &str) -> Option<&mut Session> {
        self.0.get_mut(cookie)
    }

    /// The cookie of the session that an ID token was issued in.
    pub(super) fn cookie_of(&self, subject: &str, sid: &str) -> Option<String> {
        self.0.find(|session| session.is_of(subject, sid))
    }

    pub(super) fn end(&mut self, cookie: &str) -> Option<Session> {
        self.0.remove(cookie)
    }
}

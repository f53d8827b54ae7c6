//! The identity provider. Each browser has a session, which single sign-on reuses while it lasts.

/// Result of an authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Authenticated {
    /// The provider's session.
    pub(super) sid: u8,
    /// When the user authenticated, on the store's clock. This is a fact that no server knows.
    pub(super) at: u64,
}

/// The provider's sessions, by browser.
#[derive(Debug, Clone, Default)]
pub(super) struct Provider {
    sessions: Vec<Authenticated>,
    ended: Vec<u8>,
    next_sid: u8,
}

impl Provider {
    /// Returns a provider at which `browsers` browsers authenticated at `at`.
    pub(super) fn with_browsers(browsers: u8, at: u64) -> Self {
        Self {
            sessions: (0..browsers).map(|sid| Authenticated { sid, at }).collect(),
            ended: Vec::new(),
            next_sid: browsers,
        }
    }

    /// Handles an authorization request: single sign-on, or a new authentication if the browser's session has ended.
    pub(super) fn authenticate(&mut self, browser: u8, now: u64) -> Authenticated {
        let session = self.session(browser);
        if !self.ended.contains(&session.sid) {
            return session;
        }
        let session = Authenticated {
            sid: self.next_sid,
            at: now,
        };
        self.next_sid += 1;
        self.sessions[usize::from(browser)] = session;
        session
    }

    /// Returns a browser's session.
    pub(super) fn session(&self, browser: u8) -> Authenticated {
        self.sessions[usize::from(browser)]
    }

    /// Ends a browser's session.
    pub(super) fn end(&mut self, browser: u8) {
        self.ended.push(self.session(browser).sid);
    }

    /// Ends every session.
    pub(super) fn end_all(&mut self) {
        let sids = self.sessions.iter().map(|session| session.sid);
        self.ended.extend(sids);
    }
}

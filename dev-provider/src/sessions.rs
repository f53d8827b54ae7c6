use std::collections::BTreeSet;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use url::form_urlencoded::byte_serialize;

use crate::bounded::Bounded;

const MOST: usize = 1000;
/// The most sign-ins that a session remembers. If a user signs in more often in one browser, the apps of the first sign-ins get no message.
const PARTICIPANTS: usize = 64;

/// A browser in which somebody is signed in at the provider.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) auth_time: u64,
    pub(crate) sid: String,
    /// The clients that get a message when it ends.
    pub(crate) participants: BTreeSet<Participant>,
}

/// An app that was given a code, and the `sid` that it knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Participant {
    pub(crate) client: String,
    pub(crate) sid: String,
    /// The origin of an app that is not registered.
    pub(crate) loopback_app: Option<String>,
}

impl Session {
    pub(crate) fn join(&mut self, client: &str, loopback_app: Option<String>) {
        if self.participants.len() < PARTICIPANTS {
            self.participants.insert(Participant {
                client: client.to_owned(),
                sid: self.sid.clone(),
                loopback_app,
            });
        }
    }

    /// Returns `true` if an ID token with these claims was issued in this session.
    pub(crate) fn is_of(&self, subject: &str, sid: &str) -> bool {
        let mut sids = self.participants.iter().map(|one| one.sid.as_str());
        self.subject == subject && (self.sid == sid || sids.any(|one| one == sid))
    }
}

/// Returns the subject (`sub`) of the user who typed this name.
pub(crate) fn subject_of(name: &str) -> String {
    byte_serialize(name.as_bytes()).collect()
}

/// The sessions, by the values of their cookies.
pub(crate) struct Sessions(Bounded<Session>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Bounded::new(MOST))
    }

    pub(crate) fn begin(&mut self, cookie: String, session: Session) {
        self.0.insert(cookie, session);
    }

    pub(crate) fn of(&self, cookie: &str) -> Option<&Session> {
        self.0.get(cookie)
    }

    pub(crate) fn of_mut(&mut self, cookie: &str) -> Option<&mut Session> {
        self.0.get_mut(cookie)
    }

    /// The cookie of the session that an ID token was issued in.
    pub(crate) fn cookie_of(&self, subject: &str, sid: &str) -> Option<String> {
        self.0.find(|session| session.is_of(subject, sid))
    }

    pub(crate) fn end(&mut self, cookie: &str) -> Option<Session> {
        self.0.remove(cookie)
    }
}

/// The cookie by which a browser is signed in at the provider.
pub(crate) struct SsoCookie {
    name: String,
}

impl SsoCookie {
    /// Its name has the port, since browsers keep cookies by host alone.
    pub(crate) fn new(port: u16) -> Self {
        let name = format!("development_provider_{port}");
        Self { name }
    }

    /// Returns the cookie's value. The header is read as bytes: what other cookies hold does not matter. A value that is not text is
    /// that of no session.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<String> {
        let prefix = format!("{}=", self.name);
        let mut pairs = headers
            .get_all(header::COOKIE)
            .into_iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let value = pairs.find_map(|pair| {
            let begin = pair.iter().position(|byte| !b" \t".contains(byte))?;
            pair[begin..].strip_prefix(prefix.as_bytes())
        })?;
        Some(String::from_utf8_lossy(value).trim_end().to_owned())
    }

    /// Has the browser keep it. Without TLS it can't be `Secure`, which a loopback address makes up for.
    pub(crate) fn set(&self, response: &mut Response, value: &str) {
        self.append(response, value, "");
    }

    /// Has the browser forget it.
    pub(crate) fn forget(&self, response: &mut Response) {
        self.append(response, "", "; Max-Age=0");
    }

    fn append(&self, response: &mut Response, value: &str, life: &str) {
        let name = &self.name;
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{life}");
        // Names and values are the provider's own ASCII.
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

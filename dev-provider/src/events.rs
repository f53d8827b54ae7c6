use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// How much a development provider did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Names that were typed and sent.
    pub sign_ins: u64,
    /// Refreshes that were carried out.
    pub refreshes: u64,
    /// Spent refresh tokens that came again within the grace period, and got the same successor.
    pub repeats: u64,
    /// Spent refresh tokens, and used codes, that came again.
    pub reuses: u64,
    /// Grants that were revoked by an app, or because of a reuse.
    pub revoked_grants: u64,
    /// Tokens that were revoked by an app.
    pub revocations: u64,
    /// Provider sessions that ended.
    pub sign_outs: u64,
    /// Logout tokens that were sent, each attempt counted.
    pub back_channel_sent: u64,
    /// Logout tokens that were answered with 200 or 204.
    pub back_channel_ok: u64,
    /// Iframes that were put in a page.
    pub front_channel_shown: u64,
}

/// Something that a development provider did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A name was typed and sent.
    SignedIn {
        /// The name.
        name: String,
        /// The app that asked.
        client: String,
    },
    /// A refresh was carried out; its answer may be held.
    RefreshAsked {
        /// The app that asked.
        client: String,
    },
    /// The answer to a refresh goes out.
    RefreshAnswered {
        /// The app that asked.
        client: String,
    },
    /// A spent refresh token came again within the grace period, and got the same successor.
    RefreshRepeated {
        /// The app that sent it.
        client: String,
    },
    /// A spent refresh token, or a used code, came again: all tokens of its sign-in are revoked.
    Reused {
        /// The app that sent it.
        client: String,
    },
    /// A token was revoked.
    Revoked {
        /// The app that asked.
        client: String,
    },
    /// A provider session ended.
    SignedOut {
        /// The name of the user.
        name: String,
    },
    /// A logout token was sent.
    LogoutSent {
        /// To which app.
        client: String,
        /// 1, or 2 for the second attempt.
        attempt: u8,
    },
    /// A logout token was answered, or was not.
    LogoutAnswered {
        /// By which app.
        client: String,
        /// The HTTP status, or `None` if no answer came in time.
        status: Option<u16>,
    },
    /// A page with an iframe for front-channel logout was shown.
    FrontChannelShown {
        /// For which app.
        client: String,
    },
}

/// Counts events and publishes them to listeners.
pub(crate) struct Journal {
    counts: Mutex<Counts>,
    listeners: broadcast::Sender<Event>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            counts: Mutex::default(),
            listeners: broadcast::Sender::new(256),
        }
    }

    pub(crate) fn note(&self, event: Event) {
        {
            let mut counts = self.locked();
            match &event {
                Event::SignedIn { .. } => counts.sign_ins += 1,
                Event::RefreshAsked { .. } => counts.refreshes += 1,
                Event::RefreshAnswered { .. } => {}
                Event::RefreshRepeated { .. } => counts.repeats += 1,
                Event::Reused { .. } => counts.reuses += 1,
                Event::Revoked { .. } => counts.revocations += 1,
                Event::SignedOut { .. } => counts.sign_outs += 1,
                Event::LogoutSent { .. } => counts.back_channel_sent += 1,
                Event::LogoutAnswered { status, .. } => {
                    counts.back_channel_ok += u64::from(matches!(status, Some(200 | 204)));
                }
                Event::FrontChannelShown { .. } => counts.front_channel_shown += 1,
            }
        }
        // There may be no listener.
        let _ = self.listeners.send(event);
    }

    pub(crate) fn revoked(&self, grants: u64) {
        self.locked().revoked_grants += grants;
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.locked()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.listeners.subscribe()
    }

    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::sync::broadcast;

/// How many events a page that is opened late still gets to see.
const REMEMBERED: usize = 60;

/// The events of all servers, in order. Every page shows the same.
pub(crate) struct Timeline {
    told: Mutex<Told>,
    live: broadcast::Sender<Event>,
}

#[derive(Default)]
struct Told {
    last: u64,
    recent: VecDeque<Event>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) at_ms: u64,
    /// The letter of the server, if the event is one of a server.
    pub(crate) server: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Somebody signed in.
    SignedIn,
    /// A sign-in or a late refresh was refused, because a sign-out had overtaken it.
    Refused,
    /// Tokens were used or refreshed.
    Tokens,
    /// A refresh is on its way.
    InFlight,
    /// A server's link was cut or mended.
    Backplane,
    /// Sessions ended.
    SignedOut,
    /// The plain cache did what it should not.
    PlainErred,
    /// The plain cache did as it was told.
    Plain,
    /// The provider's doing.
    Provider,
    /// Something can't be done.
    Failed,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            told: Mutex::default(),
            live: broadcast::Sender::new(REMEMBERED),
        }
    }

    pub(crate) fn tell(&self, server: Option<&str>, kind: Kind, text: impl Into<String>) {
        let mut told = self.told();
        told.last += 1;
        let event = Event {
            id: told.last,
            at_ms: now_ms(),
            server: server.map(str::to_owned),
            kind,
            text: text.into(),
        };
        if told.recent.len() == REMEMBERED {
            told.recent.pop_front();
        }
        told.recent.push_back(event.clone());
        // Without an open page there is no listener.
        let _ = self.live.send(event);
    }

    /// Returns the events after `seen`, and a receiver of further events.
    pub(crate) fn follow(&self, seen: u64) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let told = self.told();
        let missed = told.recent.iter().filter(|event| event.id > seen);
        (missed.cloned().collect(), self.live.subscribe())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_is_opened_late_sees_what_was_and_what_comes_and_nothing_twice() {
        let timeline = Timeline::new();
        for number in 0..=REMEMBERED {
            timeline.tell(Some("A"), Kind::Tokens, number.to_string());
        }
        let (missed, mut live) = timeline.follow(0);
        assert_eq!(missed.len(), REMEMBERED);
        assert_eq!(missed[0].text, "1");
        timeline.tell(None, Kind::Provider, "more");
        let next = live.recv().await.unwrap();
        assert_eq!(next.text, "more");
        let (missed, _) = timeline.follow(next.id - 1);
        assert_eq!(missed.len(), 1);
    }
}

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use super::{Event, Op, Outcome, Promise, Report, SessionNumber, Span, WriteId};
use crate::clock::Tick;

/// Checks that each read returns what was written in its own session, under its own entry.
pub(super) fn isolated(events: &[Event], report: &mut Report) {
    let written: HashMap<WriteId, (SessionNumber, u8)> = events
        .iter()
        .filter_map(|event| match event.op {
            Op::Put {
                session,
                entry,
                write,
                ..
            } => Some((write, (session, entry))),
            _ => None,
        })
        .collect();
    for event in events {
        if let (Op::Get { session, entry }, Outcome::Found { of, write }) =
            (&event.op, &event.outcome)
            && (of != session || written.get(write) != Some(&(*session, *entry)))
        {
            report.violation(
                Promise::Isolation,
                format!("{event:?} returned tokens that were never written there"),
            );
        }
    }
}

/// The acknowledged writes of one entry, ordered for fast lookups by time.
#[derive(Default)]
struct Acknowledged {
    /// When each was acknowledged, ascending, with the latest start among it and all writes before it.
    latest_start: Vec<(Tick, Tick)>,
}

impl Acknowledged {
    fn of(mut writes: Vec<Span>) -> Self {
        writes.sort_by_key(|span| span.end);
        let mut latest = Tick::default();
        let latest_start = writes
            .iter()
            .map(|span| {
                latest = latest.max(span.start);
                (span.end, latest)
            })
            .collect();
        Self { latest_start }
    }

    /// Returns `true` if any write was acknowledged before `time`.
    fn any_before(&self, time: Tick) -> bool {
        self.latest_start
            .first()
            .is_some_and(|(end, _)| *end < time)
    }

    /// Returns when the first write was acknowledged that began after the acknowledgement of `write`.
    fn outdated_since(&self, write: &Span) -> Option<Tick> {
        let earlier = self
            .latest_start
            .partition_point(|(_, latest)| *latest <= write.end);
        self.latest_start.get(earlier).map(|(end, _)| *end)
    }
}

/// Acknowledged writes by the entry they are of.
struct Timelines<K>(HashMap<K, Acknowledged>);

impl<K: Eq + Hash> Timelines<K> {
    fn of(writes: &[Write], key: impl Fn(&Write) -> K) -> Self {
        let mut spans: HashMap<K, Vec<Span>> = HashMap::new();
        for write in writes {
            spans.entry(key(write)).or_default().push(write.span);
        }
        let timelines = spans
            .into_iter()
            .map(|(key, spans)| (key, Acknowledged::of(spans)));
        Self(timelines.collect())
    }

    fn outdated_since(&self, key: &K, write: &Span) -> Option<Tick> {
        self.0.get(key)?.outdated_since(write)
    }
}

struct Write {
    entry: (SessionNumber, u8),
    process: u32,
    span: Span,
}

/// Checks that an acknowledged write is read until the next one, and is replaced by one write only. An entry that another process has
/// replaced may be read for `outdated` milliseconds more.
pub(super) fn nothing_lost(events: &[Event], outdated: u64, report: &mut Report) {
    let mut writes: Vec<Write> = Vec::new();
    let mut spans: HashMap<WriteId, Span> = HashMap::new();
    let mut replaced: HashSet<WriteId> = HashSet::new();
    for event in events {
        if let (
            Op::Put {
                session,
                entry,
                write,
                over,
            },
            Outcome::Done,
        ) = (&event.op, &event.outcome)
        {
            spans.insert(*write, event.span);
            writes.push(Write {
                entry: (*session, *entry),
                process: event.process,
                span: event.span,
            });
            if let Some(over) = over
                && !replaced.insert(*over)
            {
                report.violation(
                    Promise::G4,
                    format!("{event:?} replaced a version that another write had already replaced"),
                );
            }
        }
    }
    let all = Timelines::of(&writes, |write| write.entry);
    let own = Timelines::of(&writes, |write| (write.process, write.entry));
    for event in events {
        let Op::Get { session, entry } = event.op else {
            continue;
        };
        let at = (session, entry);
        let start = event.span.start;
        let lost = match &event.outcome {
            Outcome::Miss => all.0.get(&at).is_some_and(|all| all.any_before(start)),
            Outcome::Found { write, .. } => {
                // A write without an acknowledgement may take effect at any time.
                let Some(span) = spans.get(write) else {
                    continue;
                };
                let elsewhere = all.outdated_since(&at, span);
                if let Some(time) = elsewhere.and_then(|since| start.since(since)) {
                    let worst = &mut report.staleness.outdated;
                    *worst = time.max(*worst);
                }
                let here = own.outdated_since(&(event.process, at), span);
                elsewhere.is_some_and(|since| since.plus_millis(outdated) < start)
                    || here.is_some_and(|since| since < start)
            }
            _ => false,
        };
        if lost {
            report.violation(
                Promise::G4,
                format!("{event:?} although a later write had been acknowledged before it began"),
            );
        }
    }
}

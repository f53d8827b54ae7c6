use std::collections::{HashMap, HashSet};

use super::{Event, Op, Outcome, Promise, Report, SessionId, Span, WriteId};
use crate::clock::Tick;

/// Each read returns what was written in the session that was asked, under the entry that was asked.
pub(super) fn isolated(events: &[Event], report: &mut Report) {
    let written: HashMap<WriteId, (SessionId, u8)> = events
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
                format!("{event:?} returned what was never written there"),
            );
        }
    }
}

/// The writes of one entry that were acknowledged, in an order that answers questions about time quickly.
#[derive(Default)]
struct Acknowledged {
    /// When each was acknowledged, ascending, and the latest beginning among it and all before it.
    latest_start: Vec<(Tick, Tick)>,
    spans: HashMap<WriteId, Span>,
}

impl Acknowledged {
    fn of(mut writes: Vec<(WriteId, Span)>) -> Self {
        writes.sort_by_key(|(_, span)| span.end);
        let mut latest = Tick::default();
        let latest_start = writes
            .iter()
            .map(|(_, span)| {
                latest = latest.max(span.start);
                (span.end, latest)
            })
            .collect();
        Self {
            latest_start,
            spans: writes.into_iter().collect(),
        }
    }

    /// Of the writes acknowledged before `moment`, the beginning of the one that began last.
    fn begun_before(&self, moment: Tick) -> Option<Tick> {
        let count = self.latest_start.partition_point(|(end, _)| *end < moment);
        count.checked_sub(1).map(|last| self.latest_start[last].1)
    }

    /// Whether a write acknowledged before `moment` came after `write` for certain.
    fn outdated(&self, write: WriteId, moment: Tick) -> bool {
        match (self.spans.get(&write), self.begun_before(moment)) {
            // One that nobody saw acknowledged may have landed at any time.
            (None, _) | (_, None) => false,
            (Some(span), Some(latest)) => span.end < latest,
        }
    }
}

/// A write that was acknowledged is read until the next one, and is replaced by one write only.
pub(super) fn nothing_lost(events: &[Event], report: &mut Report) {
    let mut writes: HashMap<(SessionId, u8), Vec<(WriteId, Span)>> = HashMap::new();
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
            writes
                .entry((*session, *entry))
                .or_default()
                .push((*write, event.span));
            if let Some(over) = over
                && !replaced.insert(*over)
            {
                report.violation(
                    Promise::G4,
                    format!("{event:?} replaced what another had replaced already"),
                );
            }
        }
    }
    let writes: HashMap<_, _> = writes
        .into_iter()
        .map(|(at, writes)| (at, Acknowledged::of(writes)))
        .collect();
    for event in events {
        let Op::Get { session, entry } = event.op else {
            continue;
        };
        let Some(acknowledged) = writes.get(&(session, entry)) else {
            continue;
        };
        let lost = match event.outcome {
            Outcome::Miss => acknowledged.begun_before(event.span.start).is_some(),
            Outcome::Found { write, .. } => acknowledged.outdated(write, event.span.start),
            _ => false,
        };
        if lost {
            report.violation(
                Promise::G4,
                format!("{event:?} although a later write was acknowledged before"),
            );
        }
    }
}

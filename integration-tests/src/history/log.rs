use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use super::{Event, Op, Outcome, Span};
use crate::{clock::Tick, fleet::Figures};

/// A line of a log. An operation that changes something is logged before its request is sent. It is therefore known even if its process is
/// killed.
#[derive(Serialize, Deserialize)]
enum Line {
    Begins(u64, Tick, Op),
    Ended(u64, Tick, Outcome),
    Whole(Span, Op, Outcome),
    Counted(Figures),
}

/// The file to which one app server writes its part of the history. It survives a kill of the process at any time.
#[derive(Debug)]
pub struct Log {
    file: File,
    next: AtomicU64,
}

/// An operation whose start was logged.
#[derive(Debug)]
pub struct Started(u64);

impl Log {
    /// Starts a log.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::options().create_new(true).append(true).open(path)?,
            next: AtomicU64::default(),
        })
    }

    /// Logs the start of an operation that changes something.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begins(&self, op: &Op) -> io::Result<Started> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.write(&Line::Begins(number, Tick::now(), op.clone()))?;
        Ok(Started(number))
    }

    /// Logs the outcome of an operation whose start was logged.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn ended(&self, operation: &Started, at: Tick, outcome: Outcome) -> io::Result<()> {
        self.write(&Line::Ended(operation.0, at, outcome))
    }

    /// Logs an operation that changes nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn whole(&self, span: Span, op: Op, outcome: Outcome) -> io::Result<()> {
        self.write(&Line::Whole(span, op, outcome))
    }

    /// Logs the metrics that were counted since the last call.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn counted(&self, figures: Figures) -> io::Result<()> {
        self.write(&Line::Counted(figures))
    }

    /// Writes a line in one call. Lines of several tasks never mix, and a kill truncates at most the last line.
    fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        (&self.file).write_all(&text)
    }
}

/// The reason why a log could not be read.
#[derive(Debug)]
pub struct LogError(String);

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LogError {}

/// The contents of one app server's log.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Logged {
    /// Its part of the history.
    pub events: Vec<Event>,
    /// Its metrics.
    pub figures: BTreeMap<String, u64>,
}

/// Reads the part of the history that the app server `process` wrote. Includes operations that were started and whose end is not logged.
///
/// # Errors
/// The file cannot be read, or a line other than the last is invalid.
pub fn read(path: &Path, process: u32) -> Result<Logged, LogError> {
    let during = |error: &dyn fmt::Display| LogError(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| during(&error))?;
    let mut lines = BufReader::new(file).split(b'\n').peekable();
    let Logged {
        mut events,
        mut figures,
    } = Logged::default();
    let mut open = HashMap::new();
    while let Some(line) = lines.next() {
        let line = line.map_err(|error| during(&error))?;
        let line = match serde_json::from_slice(&line) {
            Ok(line) => line,
            // The process was killed while it wrote this line.
            Err(_) if lines.peek().is_none() => break,
            Err(error) => return Err(during(&error)),
        };
        match line {
            Line::Begins(number, start, op) => {
                open.insert(number, (start, op));
            }
            Line::Ended(number, end, outcome) => {
                let (start, op) = open
                    .remove(&number)
                    .ok_or_else(|| during(&"an operation ended whose start is not in the log"))?;
                events.push(Event {
                    process,
                    span: Span { start, end },
                    op,
                    outcome,
                });
            }
            Line::Counted(counted) => {
                for (name, count) in counted {
                    *figures.entry(name).or_default() += count;
                }
            }
            Line::Whole(span, op, outcome) => events.push(Event {
                process,
                span,
                op,
                outcome,
            }),
        }
    }
    events.extend(open.into_values().map(|(start, op)| Event {
        process,
        span: Span {
            start,
            end: Tick::NEVER,
        },
        op,
        outcome: Outcome::Unknown,
    }));
    Ok(Logged { events, figures })
}

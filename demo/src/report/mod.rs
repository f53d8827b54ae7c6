mod timeline;

use std::io::{self, Write};

use serde::Serialize;

pub use self::timeline::Timeline;
use crate::{
    failure::{Exit, Failure},
    fleet::Fleet,
    verdict::{Told, Verdict},
};

/// Receives the events of the story.
pub trait Report {
    /// The servers are up.
    ///
    /// # Errors
    /// Where it can't be written, as with the other three.
    fn begins(&mut self, fleet: &Fleet) -> io::Result<()>;

    /// A step has happened.
    ///
    /// # Errors
    /// As [`begins`](Self::begins).
    fn told(&mut self, told: &Told) -> io::Result<()>;

    /// The story has been told.
    ///
    /// # Errors
    /// As [`begins`](Self::begins).
    fn ends(&mut self, verdict: &Verdict) -> io::Result<()>;

    /// The story could not be told to its end.
    ///
    /// # Errors
    /// As [`begins`](Self::begins).
    fn failed(&mut self, failure: &Failure) -> io::Result<()>;
}

/// A JSON object a line: see the crate's README for the fields.
#[derive(Debug)]
pub struct JsonLines<W> {
    to: W,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Begin {
        store: &'a str,
        servers: &'static str,
    },
    Step(&'a Told),
    Verdict {
        #[serde(flatten)]
        verdict: &'a Verdict,
        exit_code: u8,
    },
    Failure {
        message: String,
        exit_code: u8,
    },
}

impl<W: Write> JsonLines<W> {
    /// Writes to `to`.
    pub const fn new(to: W) -> Self {
        Self { to }
    }

    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, event)?;
        self.to.write_all(b"\n")?;
        self.to.flush()
    }
}

impl<W: Write> Report for JsonLines<W> {
    fn begins(&mut self, fleet: &Fleet) -> io::Result<()> {
        self.write(&Event::Begin {
            store: fleet.store(),
            servers: fleet.kind(),
        })
    }

    fn told(&mut self, told: &Told) -> io::Result<()> {
        self.write(&Event::Step(told))
    }

    fn ends(&mut self, verdict: &Verdict) -> io::Result<()> {
        let exit_code = verdict.exit().code();
        self.write(&Event::Verdict { verdict, exit_code })
    }

    fn failed(&mut self, failure: &Failure) -> io::Result<()> {
        self.write(&Event::Failure {
            message: failure.to_string(),
            exit_code: Exit::Unfinished.code(),
        })
    }
}

mod json;
mod paint;
mod timeline;

use std::io;

pub use self::{json::JsonLines, timeline::Timeline};
use crate::{
    failure::Failure,
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

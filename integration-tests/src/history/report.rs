use std::{fmt, time::Duration};

/// The promise that a [`Violation`] breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the promises that a history can show to be broken"
)]
pub enum Promise {
    /// Final: an ended session's tokens were read.
    G1,
    /// No resurrection: a late operation brought a session back, or ended a newer one.
    G2,
    /// Nothing lost: an acknowledged write was gone, or a session that no sign-out had ended.
    G4,
    /// A session read the tokens of another.
    Isolation,
}

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise.
    pub promise: Promise,
    /// The observation, with its times.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.what)
    }
}

/// Counts of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// All operations.
    pub events: usize,
    /// Reads whose answer was checked: tokens, a miss, or a refusal.
    pub reads: usize,
    /// Reads that returned tokens.
    pub found: usize,
    /// Sessions begun.
    pub sign_ins: usize,
    /// Sign-ins refused because a sign-out overtook them.
    pub sign_ins_refused: usize,
    /// Sign-outs that returned Ok.
    pub sign_outs: usize,
    /// Sign-outs of those that did not wait for other servers' near caches.
    pub sign_outs_at_once: usize,
    /// Sessions that those sign-outs certainly ended.
    pub sessions_ended: usize,
    /// Writes acknowledged.
    pub writes: usize,
    /// Writes refused because the session had ended.
    pub late_writes_refused: usize,
    /// Operations that failed, or whose end was not observed.
    pub failed: usize,
}

/// The longest times for which near-cache entries were served after they had become outdated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Staleness {
    /// From the return of a sign-out that waits for near caches to the start of a read that still returned tokens.
    pub after_sign_out: Duration,
    /// The same for a sign-out that does not wait.
    pub after_sign_out_at_once: Duration,
    /// Number of reads that returned tokens after a sign-out that does not wait.
    pub reads_after_sign_out_at_once: usize,
    /// From the acknowledgement of a write to the start of a read that returned an earlier one.
    pub outdated: Duration,
}

/// The result of [`check`](super::check()).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The counts of the history.
    pub counts: Counts,
    /// How outdated near-cache entries were.
    pub staleness: Staleness,
    /// Every broken promise.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Returns the number of violations of this promise.
    pub fn broken(&self, promise: Promise) -> usize {
        self.violations
            .iter()
            .filter(|violation| violation.promise == promise)
            .count()
    }

    pub(super) fn violation(&mut self, promise: Promise, what: String) {
        self.violations.push(Violation { promise, what });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            events,
            reads,
            found,
            sign_ins,
            sign_ins_refused,
            sign_outs,
            sign_outs_at_once,
            sessions_ended,
            writes,
            late_writes_refused,
            failed,
        } = self.counts;
        writeln!(
            f,
            "operations              {events:>9} ({failed} failed or without an observed end)"
        )?;
        writeln!(
            f,
            "reads checked           {reads:>9} ({found} with tokens)"
        )?;
        writeln!(f, "writes                  {writes:>9}")?;
        writeln!(f, "late writes refused     {late_writes_refused:>9}")?;
        writeln!(f, "sign-ins                {sign_ins:>9}")?;
        writeln!(f, "overtaken ones refused  {sign_ins_refused:>9}")?;
        writeln!(
            f,
            "sign-outs               {sign_outs:>9} ({sessions_ended} sessions ended)"
        )?;
        if sign_outs_at_once > 0 {
            writeln!(f, "… that did not wait     {sign_outs_at_once:>9}")?;
        }
        write!(f, "violations              {:>9}", self.violations.len())
    }
}

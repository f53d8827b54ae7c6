use std::{fmt, time::Duration};

/// Which promise a [`Violation`] breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "those that a history can show broken"
)]
pub enum Promise {
    /// Final: an ended session's tokens were read.
    G1,
    /// No resurrection: something late brought a session back, or something late hit a new one.
    G2,
    /// Nothing lost: an acknowledged write, or a session that nobody ended, was gone.
    G4,
    /// A session saw another's tokens.
    Isolation,
}

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// What was seen, with the moments.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.what)
    }
}

/// What was in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Operations in all.
    pub events: usize,
    /// Reads whose answer was checked: tokens, a miss, or a refusal.
    pub reads: usize,
    /// … that returned tokens.
    pub found: usize,
    /// Sessions begun.
    pub sign_ins: usize,
    /// Sign-ins refused because a sign-out overtook them.
    pub sign_ins_refused: usize,
    /// Sign-outs that returned Ok.
    pub sign_outs: usize,
    /// … of those, how many waited for no other server's copies.
    pub sign_outs_at_once: usize,
    /// Sessions that those ended for certain.
    pub sessions_ended: usize,
    /// Writes acknowledged.
    pub writes: usize,
    /// Writes refused because the session had ended.
    pub late_writes_refused: usize,
    /// Operations that ended in an error, or that nobody saw end.
    pub failed: usize,
}

/// How long copies outlived what they are of, at the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Staleness {
    /// From the return of a sign-out that waits for the copies to the beginning of a read that saw tokens all the same.
    pub after_sign_out: Duration,
    /// The same of a sign-out that does not wait.
    pub after_sign_out_at_once: Duration,
    /// How many reads saw tokens after one that does not wait.
    pub reads_after_sign_out_at_once: usize,
    /// From the acknowledgement of a write to the beginning of a read that saw an earlier one.
    pub outdated: Duration,
}

/// What [`check`](super::check()) found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// What there was to check.
    pub counts: Counts,
    /// How stale copies were.
    pub staleness: Staleness,
    /// Every broken promise.
    pub violations: Vec<Violation>,
}

impl Report {
    /// How many violations break this promise.
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
            "operations              {events:>9} ({failed} failed or never seen to end)"
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
            writeln!(f, "… that waited for none  {sign_outs_at_once:>9}")?;
        }
        write!(f, "violations              {:>9}", self.violations.len())
    }
}

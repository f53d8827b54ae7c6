use super::{Failure, Operation};
use crate::AccountKey;

/// The labels of an operation's subject.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    account: Option<&'a AccountKey>,
    scope: Option<&'static str>,
}

impl<'a> About<'a> {
    pub(crate) fn account(account: &'a AccountKey) -> Self {
        Self {
            account: Some(account),
            scope: None,
        }
    }

    pub(crate) fn scope(scope: &'static str) -> Self {
        Self {
            account: None,
            scope: Some(scope),
        }
    }
}

/// Runs `work` in the operation's span, and counts its result. `outcome` returns the label of a success.
#[cfg(any(feature = "tracing", feature = "metrics"))]
pub(crate) async fn observe<T, E: Failure>(
    operation: Operation,
    about: About<'_>,
    work: impl Future<Output = Result<T, E>>,
    outcome: impl FnOnce(&T) -> &'static str,
) -> Result<T, E> {
    #[cfg(feature = "metrics")]
    let begun = std::time::Instant::now();
    #[cfg(feature = "tracing")]
    let (span, work) = {
        let span = span(operation, about);
        (span.clone(), tracing::Instrument::instrument(work, span))
    };
    let done = work.await;
    let outcome = match &done {
        Ok(done) => outcome(done),
        Err(failure) => failure.outcome(),
    };
    #[cfg(feature = "tracing")]
    span.record("outcome", outcome);
    #[cfg(feature = "metrics")]
    count(
        operation,
        about,
        outcome,
        begun.elapsed(),
        done.as_ref().err(),
    );
    done
}

/// Runs `work`.
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
pub(crate) fn observe<T, E: Failure>(
    _: Operation,
    _: About<'_>,
    work: impl Future<Output = Result<T, E>>,
    _: impl FnOnce(&T) -> &'static str,
) -> impl Future<Output = Result<T, E>> {
    work
}

/// Wraps a task in the span of the caller that starts it.
pub(crate) fn in_current_span<F: Future>(task: F) -> impl Future<Output = F::Output> {
    #[cfg(feature = "tracing")]
    let task = tracing::Instrument::in_current_span(task);
    task
}

#[cfg(feature = "tracing")]
fn span(operation: Operation, about: About<'_>) -> tracing::Span {
    let span = operation.span();
    if span.is_disabled() {
        return span;
    }
    if let Some(account) = about.account {
        let [a, b, c, d, ..] = account.subject();
        span.record("account", format_args!("{a:02x}{b:02x}{c:02x}{d:02x}"));
    }
    if let Some(scope) = about.scope {
        span.record("scope", scope);
    }
    span
}

#[cfg(feature = "metrics")]
fn count(
    operation: Operation,
    about: About<'_>,
    outcome: &'static str,
    took: std::time::Duration,
    failure: Option<&impl Failure>,
) {
    let name = operation.counter();
    let counter = if let Some(scope) = about.scope {
        metrics::counter!(name, "scope" => scope, "outcome" => outcome)
    } else {
        metrics::counter!(name, "outcome" => outcome)
    };
    counter.increment(1);
    metrics::histogram!("token_cache_duration_seconds", "operation" => operation.label())
        .record(took);
    if let Some(kind) = failure.and_then(Failure::kind) {
        metrics::counter!(
            "token_cache_errors_total", "operation" => operation.label(), "kind" => kind,
        )
        .increment(1);
    }
}

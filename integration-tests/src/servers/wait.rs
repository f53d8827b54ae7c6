use std::thread;
use std::time::{Duration, Instant};

use super::ServerError;

const POLL: Duration = Duration::from_millis(5);

/// Polls `condition` until it returns a value. Fails with `what` once `limit` has passed.
pub(super) fn until<T>(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> Result<T, ServerError> {
    let start = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return Ok(answer);
        }
        if start.elapsed() >= limit {
            return Err(ServerError::new(format!("{what}: not within {limit:?}")));
        }
        thread::sleep(POLL);
    }
}

use std::{convert::Infallible, sync::Arc};

use tokio::{task::JoinHandle, time};

use super::{RefreshError, RefreshPolicy, RefreshRequest, TokenSource, lock::Lock};
use crate::{
    TokenSet, Version,
    telemetry::{Failure, in_current_span},
};

/// The failure of a call to the provider.
pub(super) enum CallFailure {
    Provider(RefreshError),
    /// The code of the token source panicked.
    Panicked,
}

impl Failure for CallFailure {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Provider(error) => error.outcome(),
            Self::Panicked => "panicked",
        }
    }

    fn kind(&self) -> Option<&'static str> {
        None
    }
}

/// Calls the provider in a task of its own, under a deadline, and renews the lock for the duration.
pub(super) async fn call(
    source: &Arc<dyn TokenSource>,
    request: RefreshRequest,
    lock: &Lock,
    seen: Option<Version>,
    policy: &RefreshPolicy,
) -> Result<TokenSet, CallFailure> {
    let source = Arc::clone(source);
    let refresh = in_current_span(async move { source.refresh(request).await });
    let mut call = Call(tokio::spawn(refresh));
    tokio::select! {
        answered = &mut call.0 => match answered {
            Ok(answer) => answer.map_err(CallFailure::Provider),
            Err(_) => Err(CallFailure::Panicked),
        },
        () = time::sleep(policy.provider_timeout) => Err(CallFailure::Provider(
            RefreshError::transient(format!(
                "the provider did not answer within {:?}",
                policy.provider_timeout,
            ))
            .answer_lost(),
        )),
        never = renew(lock, seen, policy) => match never {},
    }
}

/// A lease that cannot be renewed expires. Later writes stay safe because they name the version that they replace.
async fn renew(lock: &Lock, seen: Option<Version>, policy: &RefreshPolicy) -> Infallible {
    loop {
        time::sleep(policy.lease / 3).await;
        let _ = lock.acquire(seen).await;
    }
}

/// A call that is aborted when it is dropped.
struct Call(JoinHandle<Result<TokenSet, RefreshError>>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

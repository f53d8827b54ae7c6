//! Faults of sign-ins.

use token_cache_core::{EvictOptions, EvictTarget, ReadOptions, SessionKind, Timestamp};

use crate::fault::fault;

/// Counts sessions on behalf of a user among those of the user's browsers.
#[derive(Default)]
pub(crate) struct CountsAllAlike;

fault! {
    impl CountsAllAlike {
        begin(self, healthy, account, mut session) {
            session.record.kind = SessionKind::Direct;
            healthy.begin(account, session).await
        }
    }
}

/// Makes room for a sign-in that it then refuses.
#[derive(Default)]
pub(crate) struct DisplacesBeforeItRefuses;

fault! {
    impl DisplacesBeforeItRefuses {
        begin(self, healthy, account, session) {
            let (now, most) = (session.now, session.max_sessions);
            let begun = healthy.begin(account, session).await;
            let sessions = healthy.sessions(account, ReadOptions::at(now)).await?;
            if begun.is_err()
                && sessions.len() >= most
                && let Some(record) = sessions.first()
            {
                healthy
                    .evict(
                        account,
                        EvictTarget::Session(record.session_id),
                        EvictOptions::at(now),
                    )
                    .await?;
            }
            begun
        }
    }
}

/// Lets an account have any number of sessions.
#[derive(Default)]
pub(crate) struct IgnoresTheLimit;

fault! {
    impl IgnoresTheLimit {
        begin(self, healthy, account, mut session) {
            session.max_sessions = usize::MAX;
            healthy.begin(account, session).await
        }
    }
}

/// Does not remove the sessions of earlier sends.
#[derive(Default)]
pub(crate) struct KeepsTheSuperseded;

fault! {
    impl KeepsTheSuperseded {
        begin(self, healthy, account, mut session) {
            session.supersedes.clear();
            healthy.begin(account, session).await
        }
    }
}

/// Takes a sign-in whenever it comes.
#[derive(Default)]
pub(crate) struct LandsLate;

fault! {
    impl LandsLate {
        begin(self, healthy, account, mut session) {
            session.not_after = Timestamp::MAX;
            healthy.begin(account, session).await
        }
    }
}

//! Faults of sign-outs.

use std::time::Duration;

use token_cache_core::{
    BeginSession, CutoffBound, CutoffTime, Error, EvictTarget, Evicted, ReadOptions, Timestamp,
};

use crate::fault::fault;

/// Says that every sign-out ended something.
#[derive(Default)]
pub(crate) struct AlwaysEnded;

fault! {
    impl AlwaysEnded {
        evict(self, healthy, account, target, options) {
            healthy.evict(account, target, options).await?;
            Ok(Evicted::new(true))
        }
    }
}

/// Spares a session that claims to begin after a sign-out, however far in the future.
#[derive(Default)]
pub(crate) struct BelievesTheFuture;

fault! {
    impl BelievesTheFuture {
        evict(self, healthy, account, target, options) {
            let read = ReadOptions::at(options.now);
            let spared = healthy.sessions(account, read).await?;
            let spared = spared
                .into_iter()
                .filter(|record| !target.ends(&record.session_id, record.sid.as_ref(), &record.times));
            let spared: Vec<_> = spared.collect();
            let evicted = healthy.evict(account, target, options).await?;
            for record in spared {
                if healthy
                    .session(account, &record.session_id, read)
                    .await
                    .is_err()
                {
                    let again = BeginSession::new(record, Timestamp::MAX, options.now);
                    healthy.begin(account, again).await?;
                }
            }
            Ok(evicted)
        }
    }
}

/// Ends an account's sessions whatever the cutoff time of the sign-out.
#[derive(Default)]
pub(crate) struct EndsNewerSessions;

fault! {
    impl EndsNewerSessions {
        evict(self, healthy, account, target, options) {
            let EvictTarget::Account(moment) = target else {
                return healthy.evict(account, target, options).await;
            };
            let sessions = healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?;
            for record in &sessions {
                healthy
                    .evict(account, EvictTarget::Session(record.session_id), options)
                    .await?;
            }
            healthy
                .evict(account, EvictTarget::Account(moment), options)
                .await?;
            Ok(Evicted::new(!sessions.is_empty()))
        }
    }
}

/// Takes a provider's session for the account.
#[derive(Default)]
pub(crate) struct EndsOtherSids;

fault! {
    impl EndsOtherSids {
        evict(self, healthy, account, target, options) {
            match target {
                EvictTarget::Sid { .. } => {
                    let everything = EvictTarget::Account(CutoffTime::on_store_clock(Timestamp::MAX));
                    let mut without_not_before = options;
                    without_not_before.not_before_lifetime = Duration::ZERO;
                    healthy.evict(account, everything, without_not_before).await
                }
                other => healthy.evict(account, other, options).await,
            }
        }
    }
}

/// Ends the first session that it finds of those a sign-out is about.
#[derive(Default)]
pub(crate) struct EvictsOneSession;

fault! {
    impl EvictsOneSession {
        evict(self, healthy, account, target, options) {
            let sessions = healthy
                .sessions(account, ReadOptions::at(options.now))
                .await?;
            let first = sessions
                .iter()
                .find(|record| target.ends(&record.session_id, record.sid.as_ref(), &record.times));
            match first {
                Some(record) => {
                    healthy
                        .evict(account, EvictTarget::Session(record.session_id), options)
                        .await
                }
                None => healthy.evict(account, target, options).await,
            }
        }
    }
}

/// Takes a session whose time equals the cutoff time for a newer one.
#[derive(Default)]
pub(crate) struct SparesEqualTimes;

fault! {
    impl SparesEqualTimes {
        evict(self, healthy, account, target, options) {
            let target = match target {
                EvictTarget::Account(CutoffTime { clock, at }) => EvictTarget::Account(CutoffTime {
                    clock,
                    at: at - Duration::from_millis(1),
                }),
                other => other,
            };
            healthy.evict(account, target, options).await
        }
    }
}

/// Ends only the sessions with the `sid` if subject and `sid` are named.
#[derive(Default)]
pub(crate) struct SparesSessionsWithoutSid;

fault! {
    impl SparesSessionsWithoutSid {
        evict(self, healthy, account, target, options) {
            let target = match target {
                EvictTarget::SidOrWithoutSid { sid, .. } => EvictTarget::Sid {
                    sid,
                    bound: CutoffBound::Forever,
                },
                other => other,
            };
            healthy.evict(account, target, options).await
        }
    }
}

/// Says that a sign-out which failed ended nothing.
#[derive(Default)]
pub(crate) struct SwallowsFailedSignOuts;

fault! {
    impl SwallowsFailedSignOuts {
        evict(self, healthy, account, target, options) {
            let evicted = healthy.evict(account, target, options).await;
            Ok(evicted.unwrap_or(Evicted::new(false)))
        }
    }
}

/// Says that a session it could not read has ended.
#[derive(Default)]
pub(crate) struct TakesErrorsForSignOuts;

fault! {
    impl TakesErrorsForSignOuts {
        session(self, healthy, account, session_id, options) {
            let session = healthy.session(account, session_id, options).await;
            session.map_err(|_| Error::signed_out("read a session"))
        }
    }
}

//! The sign-outs: the app's own, the provider's messages, and the operator's.

use token_cache_core::{
    AccountListOptions, CutoffBound, CutoffTime, Error, EvictOptions, NotBeforeOptions,
    NotBeforeScope, Result, SignOut, Timestamp,
    protocol::{self, SidScope, SidSignOut},
};

use super::{
    actors::{Stage, UNSURE},
    bent_protocol,
    facts::{Outcome, Role, Scope, SignOutFacts},
    mutants::Mutant,
    scenario::{Act, ISSUER, account, sid_key},
};

/// How often a sign-out is tried before the caller gives up.
const ATTEMPTS: usize = 3;

impl Stage {
    pub(super) async fn sign_out(&self, act: Act) -> Outcome {
        for _ in 0..ATTEMPTS {
            let Some((scope, at)) = self.begin_sign_out(&act).await else {
                return Outcome::Nothing;
            };
            match self.attempt(scope, at).await {
                Ok(report) => return Outcome::SignedOut(report.ended),
                Err(_) if self.bent.is(Mutant::FailureSwallowed) => {
                    return Outcome::SignedOut(false);
                }
                Err(error) if error.is_retryable() => {}
                Err(_) => return Outcome::Failed,
            }
        }
        Outcome::Failed
    }

    /// Returns the scope, and the exact cutoff time on the store's clock. A message's cutoff time is the time of its issue, also when the
    /// message is sent again. The app's own is the time of the attempt.
    async fn begin_sign_out(&self, act: &Act) -> Option<(Scope, u64)> {
        let (me, act) = (self.me, act.clone());
        let begun = self.world.access(|inner| {
            inner.seats[me]
                .facts
                .sign_out()
                .map(|facts| (facts.scope, facts.cutoff_times[0]))
        });
        let from_provider = matches!(act, Act::Message { .. } | Act::MessageSubject(_));
        if begun.is_some() && (from_provider || act.is_bulk()) {
            return begun;
        }
        match act {
            Act::SignOutTicket(of) => {
                self.address(of)?;
            }
            Act::Redelivery(of) => {
                self.world
                    .access(|inner| inner.seats[of].facts.sign_out().map(|_| ()))?;
            }
            _ => {}
        }
        let name = match act {
            Act::Message { .. } | Act::MessageSubject(_) => {
                "the provider ends the session and sends a message"
            }
            _ => "is requested",
        };
        let at = self.world.event(name, move |inner| {
            let mut at = inner.now;
            let scope = match act {
                Act::SignOutTicket(of) => Scope::Ticket(of),
                Act::SignOutAccount(user) => Scope::Account {
                    account: account(user),
                    by_provider: false,
                },
                Act::SignOutSid(browser) => Scope::Sid(inner.provider.session(browser).sid),
                Act::Message {
                    browser,
                    user,
                    means_account,
                } => {
                    let sid = inner.provider.session(browser).sid;
                    inner.provider.end(browser);
                    if means_account {
                        Scope::MessageOfAccounts(sid)
                    } else {
                        Scope::Message {
                            sid,
                            named: user.map(account),
                        }
                    }
                }
                Act::MessageSubject(user) => {
                    inner.provider.end_all();
                    Scope::Account {
                        account: account(user),
                        by_provider: true,
                    }
                }
                Act::Redelivery(of) => match &inner.seats[of].facts.role {
                    Role::SignOut(facts) => {
                        at = facts.cutoff_times[0];
                        facts.scope
                    }
                    _ => Scope::Issuer,
                },
                _ => Scope::Issuer,
            };
            let role = &mut inner.seats[me].facts.role;
            match role {
                Role::SignOut(facts) => facts.cutoff_times.push(at),
                _ => {
                    *role = Role::SignOut(SignOutFacts {
                        scope,
                        cutoff_times: vec![at],
                    });
                }
            }
            at
        });
        let at = at.await;
        self.world.access(|inner| {
            let facts = inner.seats[me].facts.sign_out();
            facts.map(|facts| (facts.scope, at))
        })
    }

    async fn attempt(&self, scope: Scope, at: u64) -> Result<SignOut> {
        let store = &*self.store;
        let mut now = Timestamp::from_millis(at);
        let issued = self.provider_time(at);
        let options = EvictOptions::at(now);
        if self.bent.is(Mutant::CutoffAtLowerEnd) {
            now = now - UNSURE;
        }
        let on_provider_clock = if self.bent.is(Mutant::OneClock) {
            CutoffTime::on_store_clock(issued)
        } else {
            CutoffTime::on_provider_clock(issued)
        };
        let by_sid = match scope {
            Scope::Ticket(of) => {
                let Some(at) = self.address(of) else {
                    return Err(Error::misuse("sign out", "no ticket"));
                };
                let ended = protocol::end_session(store, at.account(), at.session_id(), options);
                return ended.await.map(|ended| ended.sign_out);
            }
            Scope::Account {
                account,
                by_provider,
            } => {
                let cutoff = if by_provider {
                    on_provider_clock
                } else {
                    CutoffTime::on_store_clock(now)
                };
                let ended = protocol::sign_out_account(store, &account, cutoff, options);
                return ended.await.map(|ended| ended.sign_out);
            }
            Scope::Issuer => {
                return self.sign_out_issuer(now, options).await;
            }
            Scope::Sid(sid) => SidSignOut {
                sid: sid_key(sid),
                bound: CutoffBound::Time(CutoffTime::on_store_clock(now)),
                reach: SidScope::WithSid,
                named: None,
            },
            Scope::Message { sid, named, .. } => SidSignOut {
                sid: sid_key(sid),
                bound: CutoffBound::Forever,
                reach: SidScope::WithSid,
                named: named.map(|account| (account, issued)),
            },
            Scope::MessageOfAccounts(sid) => SidSignOut {
                sid: sid_key(sid),
                bound: CutoffBound::Forever,
                reach: SidScope::Account(on_provider_clock),
                named: None,
            },
        };
        if self.bent.is(Mutant::SidNotBeforeLast) {
            return bent_protocol::sign_out_sid_not_before_last(
                &self.world,
                store,
                by_sid,
                options,
            )
            .await;
        }
        let ended = protocol::sign_out_sid(store, &by_sid, options);
        ended.await.map(|ended| ended.sign_out)
    }

    /// The steps of a bulk sign-out. After a failure it resumes at the step that failed.
    async fn sign_out_issuer(&self, at: Timestamp, options: EvictOptions) -> Result<SignOut> {
        self.store
            .set_issuer_not_before(&ISSUER, at, NotBeforeOptions::default())
            .await?;
        let mut report = SignOut::default();
        let mut scan = AccountListOptions::of_issuer(ISSUER);
        loop {
            let page = self.store.accounts(&scan).await?;
            let evicted = self
                .store
                .evict_accounts(&page.accounts, at, NotBeforeScope::Issuer, options)
                .await;
            for evicted in evicted {
                report.ended |= evicted?.ended;
            }
            match page.next {
                Some(cursor) => scan = scan.from(cursor),
                None => return Ok(report),
            }
        }
    }
}

impl Act {
    fn is_bulk(&self) -> bool {
        matches!(self, Self::SignOutIssuer)
    }
}

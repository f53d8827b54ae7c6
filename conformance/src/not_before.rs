use std::time::Duration;

use token_cache_core::{
    CutoffBound, CutoffTime, EvictOptions, EvictTarget, NotBeforeOptions, NotBeforeScope, SidKey,
    Timestamp,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, by_app, by_provider},
    assertions::{Assertions, should_equal},
    checks::sid_index::sid_entry,
    random,
};

const MILLI: Duration = Duration::from_millis(1);

/// The kind of a not-before time: of an account, a `sid` or an issuer, on which clock, and how it is set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Store,
    Provider,
    WithoutSid,
    Batch,
    Sid,
    Forever,
    Issuer,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Store,
        Self::Provider,
        Self::WithoutSid,
        Self::Batch,
        Self::Sid,
        Self::Forever,
        Self::Issuer,
    ];
}

/// A sign-out of a fresh account, and the sign-in that it overtakes.
pub(crate) struct NotBefore<'a> {
    setup: &'a Setup,
    ada: AccountDriver<'a>,
    pub(crate) kind: Kind,
    sid: SidKey,
    /// The cutoff time of the sign-out on the store's clock. `authenticated` is that on the provider's clock.
    pub(crate) at: Timestamp,
    pub(crate) authenticated: Timestamp,
}

impl<'a> NotBefore<'a> {
    pub(crate) fn new(setup: &'a Setup, kind: Kind, at: Timestamp) -> Result<Self, Violation> {
        Ok(Self {
            setup,
            ada: setup.account()?,
            kind,
            sid: random::sid()?,
            at,
            authenticated: AUTHENTICATED,
        })
    }

    pub(crate) async fn signs_out(&self, life: Duration) -> Result<(), Violation> {
        self.signs_out_at(self.at, self.authenticated, life).await
    }

    pub(crate) async fn signs_out_at(
        &self,
        at: Timestamp,
        authenticated: Timestamp,
        life: Duration,
    ) -> Result<(), Violation> {
        let ada = &self.ada;
        let options = EvictOptions::at(ada.now).not_before_lifetime(life);
        let not_before = NotBeforeOptions::lifetime(life);
        let target = match self.kind {
            Kind::Store => by_app(at),
            Kind::Provider => by_provider(authenticated),
            Kind::WithoutSid => EvictTarget::SidOrWithoutSid {
                sid: self.sid,
                without_sid_until: authenticated,
            },
            Kind::Batch => {
                let sid_index = self.setup.store();
                let not_before = NotBeforeScope::Account;
                let evicted = sid_index
                    .evict_accounts(&[ada.key], at, not_before, options)
                    .await;
                for evicted in evicted {
                    evicted.should_work("an eviction of many accounts")?;
                }
                return Ok(());
            }
            Kind::Sid | Kind::Forever => {
                let bound = match self.kind {
                    Kind::Forever => CutoffBound::Forever,
                    _ => CutoffBound::Time(CutoffTime::on_store_clock(at)),
                };
                let sid_index = self.setup.store();
                let answer = sid_index
                    .set_sid_not_before(&self.sid, bound, not_before)
                    .await;
                return answer
                    .should_work("setting the not-before time of a `sid`")
                    .map(drop);
            }
            Kind::Issuer => {
                let sid_index = self.setup.store();
                let answer = sid_index
                    .set_issuer_not_before(ada.key.issuer(), at, not_before)
                    .await;
                return answer.should_work("setting the not-before time of an issuer");
            }
        };
        let evicted = ada.store.evict(&ada.key, target, options).await;
        evicted.should_work("a sign-out").map(drop)
    }

    /// Returns `true` if a sign-in that was requested and authenticated then is refused.
    pub(crate) async fn refuses(
        &self,
        at: Timestamp,
        authenticated: Timestamp,
    ) -> Result<bool, Violation> {
        let ada = &self.ada;
        // The request is in time, whatever passed.
        let not_after = self.setup.clock().await?.time + Duration::from_secs(900);
        let answer = match self.kind {
            Kind::Store | Kind::Provider | Kind::WithoutSid | Kind::Batch => {
                let mut begin = ada.begin_of(ada.record()?);
                begin.not_after = not_after;
                begin.record.times.requested_at = at;
                begin.record.times.auth_time = authenticated;
                ada.store.begin(&ada.key, begin).await.map(drop)
            }
            Kind::Sid | Kind::Forever => {
                let mut sid_entry = sid_entry(ada);
                sid_entry.requested_at = at;
                sid_entry.not_after = not_after;
                let sid_index = self.setup.store();
                sid_index.add(&self.sid, sid_entry).await
            }
            Kind::Issuer => {
                let sid_index = self.setup.store();
                let issuer = ada.key.issuer();
                sid_index.check_issuer(issuer, at, not_after).await
            }
        };
        match answer {
            Err(error) if error.is_signed_out() => Ok(true),
            answer => answer.should_work("a sign-in").map(|()| false),
        }
    }

    pub(crate) async fn refuses_what_it_overtook(&self) -> Result<bool, Violation> {
        self.refuses(self.at, self.authenticated).await
    }

    /// A sign-in of the next millisecond is accepted, unless the `sid` has ended forever.
    pub(crate) async fn is_passed_by_a_newer_one(&self) -> Result<(), Violation> {
        let (at, authenticated) = (self.at + MILLI, self.authenticated + MILLI);
        let refused = self.refuses(at, authenticated).await?;
        let expected = matches!(self.kind, Kind::Forever);
        should_equal(&refused, &expected, "whether a newer sign-in is refused")
    }
}

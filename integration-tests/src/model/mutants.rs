//! Protocols and stores with one deliberate fault each. The model proves nothing unless it refutes every one of them.

use std::time::Duration;

use token_cache_core::{EvictTarget, NOT_BEFORE_LIFETIME, Timestamp};

use super::{
    scenario::Scenario,
    scenarios,
    state::{AccountRecord, NotBefore},
};

macro_rules! mutants {
    ($($variant:ident $name:literal $scenario:literal $wrong:literal)*) => {
        /// A deliberate fault of a protocol or a store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_enums, missing_docs, reason = "a list; `wrong` says what each is")]
        pub enum Mutant {
            $($variant,)*
        }

        impl Mutant {
            /// All mutants.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns its name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns a description of the fault.
            pub fn wrong(self) -> &'static str {
                match self {
                    $(Self::$variant => $wrong,)*
                }
            }

            fn refuted_by(self) -> &'static str {
                match self {
                    $(Self::$variant => $scenario,)*
                }
            }
        }
    };
}

mutants! {
    JoinedSessions "joined-sessions" "redis: two sign-ins, one ticket signed out"
        "a second sign-in of the same browser joins the first: one ticket secret for both"
    RetryWithTheSameTicketSecret "retry-with-the-same-ticket-secret" "redis: sign-in, sign-out by ticket"
        "the retry of a sign-in's write sends the same ticket secret again"
    DerivedTicketSecrets "derived-ticket-secrets" "redis: sign-in, sign-out of the account, single sign-on"
        "the ticket secret is derived from account and `sid`"
    BeginDeliveredTwice "begin-delivered-twice" "redis: sign-in, sign-out by ticket"
        "the driver repeats a sign-in's write by itself"
    BeginUnconditional "begin-unconditional" "dynamodb: sign-in, sign-out by ticket"
        "a sign-in's write to the account item has no condition on the account item's version"
    NoTakeBack "no-take-back" "redis: sign-in, provider's message with a sid"
        "a sign-in that was refused after its first step leaves its session behind"
    BackgroundSessionBeforeSidEntry "background-session-before-sid-entry" "redis: sign-in with background session, provider's message with a sid, job"
        "the background session is stored before the entry of the sid index"
    BackgroundSessionOutlives "background-session-outlives" "redis: sign-in with background session, sign-out of the account, job"
        "a background session counts although its session has ended"
    IssuerReadBeforeWrite "issuer-read-before-write" "redis: sign-in, sign-out of the issuer"
        "the issuer's not-before time is read before the account's record is written"
    IssuerWithoutNotBefore "issuer-without-not-before" "redis: sign-in, sign-out of the issuer"
        "a sign-out of an issuer evicts the accounts and sets no not-before time"
    NotAfterOnlyBeforeSending "not-after-only-before-sending" "redis: sign-in, sign-out of the account, time"
        "a sign-in that takes too long is refused by the server that sends it, and not by the store"
    NotAfterOnlyFirstStep "not-after-only-first-step" "redis: sign-in, provider's message with a sid, time"
        "only the first step of a sign-in is refused when it is late"
    NotAfterBeforeSendingDynamoDb "not-after-only-before-sending-dynamodb" "dynamodb: sign-in, sign-out of the account, time"
        "the date of an answer is ignored"
    OrderByIdTokenIat "order-by-id-token-iat" "redis: sign-in, provider's message with a subject"
        "the `auth_time` of a session is the ID token's `iat`"
    OneClock "one-clock" "redis: sign-in, provider's message with a subject, its clock ahead"
        "the provider's `iat` is compared with the store's clock"
    RequestedAtTheCallback "requested-at-the-callback" "redis: sign-in, sign-out of the account"
        "the `requested_at` of a session is the time of its callback"
    RequestedAtUpperEnd "requested-at-upper-end" "redis: sign-in, sign-out of the account"
        "the `requested_at` of a session is the upper end of the estimate of the store's clock"
    CutoffAtLowerEnd "cutoff-at-lower-end" "redis: sign-in, sign-out of the account"
        "a cutoff time is the lower end of the estimate of the store's clock"
    NoNotBefore "no-not-before" "redis: sign-in, sign-out of the account"
        "a sign-out of an account sets no not-before time"
    NotBeforeTooShort "not-before-too-short" "redis: sign-in, sign-out of the account, time"
        "a not-before time expires before a sign-in that began earlier must have finished"
    RecordExpiresBeforeNotBefore "record-expires-before-not-before" "dynamodb: sign-in, sign-out of the account, time"
        "an account item expires with its last session, and its not-before times with it"
    RecordExpiresWithWhatItHolds "record-expires-with-what-it-holds" "dynamodb: sign-in, sign-out by ticket, time"
        "an emptied account item may be deleted at once, and an old write finds it absent again"
    RequestsWithoutDate "requests-without-date" "dynamodb: sign-in, sign-out of the account, time"
        "a request is accepted however long ago it was signed"
    NotBeforeLowered "not-before-lowered" "redis: sign-in, two sign-outs of the account"
        "a sign-out that arrives late, or twice, lowers the not-before time"
    DuplicateEndsNewer "duplicate-ends-newer" "redis: sign-out of the account, then single sign-on"
        "a late duplicate of a sign-out ends newer sessions"
    EvictsUnconditionally "evicts-unconditionally" "dynamodb: sign-out of the account, then single sign-on"
        "the sign-out of an account empties the account item without a condition"
    OneNotBeforeForBothClocks "one-not-before-for-both-clocks" "redis: sign-in, sign-out by the app and by the provider"
        "the not-before time of one clock replaces the other's"
    SidNotBeforeLast "sid-not-before-last" "redis: sign-in, provider's message with a sid"
        "the accounts are evicted first, then the `sid` gets its not-before time"
    SidWithoutNotBefore "sid-without-not-before" "redis: sign-in, provider's message with a sid"
        "a sign-out by `sid` sets no not-before time in the index"
    TombstoneForAnswer "tombstone-for-answer" "redis: sign-in, provider's message with a sid, delivered again"
        "a `sid` that already has a not-before time is treated as signed out"
    OneAccountPerSid "one-account-per-sid" "redis: two accounts under one sid"
        "the index stores one account per `sid`"
    SidEntryExpiryFalls "sid-entry-expiry-falls" "redis: two lives under one sid, time"
        "a sign-in with a shorter lifetime shortens that of the index entry"
    WriteUnchecked "write-unchecked" "redis: sign-in, write, sign-out of the account"
        "a write does not check that its session is live"
    PutWithoutAccountRead "put-without-account-read" "dynamodb: sign-in, write, sign-out of the account"
        "an entry is put, and the account item is not read afterwards"
    CreationsForgotten "creations-forgotten" "redis: sign-in, create, removal"
        "a store forgets which writes created an entry"
    CreationsRemoved "creations-removed" "dynamodb: sign-in, create, removal"
        "a removal also removes the record of the entry's creation"
    FailureSwallowed "failure-swallowed" "redis: sign-in, sign-out of the account"
        "a sign-out whose request failed says `Ok`"
    EndedAlways "ended-always" "redis: sign-in, sign-out of the account"
        "a sign-out that ended nothing reports that it did"
}

/// The mutant that a store or a protocol is, if any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bent(pub Option<Mutant>);

impl Mutant {
    /// Returns the mutant of this name, or `None` if there is no such mutant.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mutant| mutant.name() == name)
    }

    /// Returns the scenario that refutes it, with this mutant in it.
    pub fn scenario(self) -> Option<Scenario> {
        let mut scenario = scenarios::all()
            .into_iter()
            .find(|scenario| scenario.name == self.refuted_by())?;
        scenario.bent = Bent(Some(self));
        Some(scenario)
    }
}

impl Bent {
    /// Returns `true` if it is this mutant.
    pub(super) fn is(self, mutant: Mutant) -> bool {
        self.0 == Some(mutant)
    }

    /// Returns `true` if steps after the first accept late requests.
    pub(super) fn forgets_not_after(self) -> bool {
        self.is(Mutant::NotAfterOnlyFirstStep) || self.sends_unchecked()
    }

    /// Returns `true` if the first step accepts late requests.
    pub(super) fn sends_unchecked(self) -> bool {
        self.is(Mutant::NotAfterOnlyBeforeSending) || self.is(Mutant::NotAfterBeforeSendingDynamoDb)
    }

    /// Returns the lifetime of a not-before time.
    pub(super) fn life(self, asked: Duration) -> Duration {
        if self.is(Mutant::NotBeforeTooShort) {
            Duration::from_secs(10 * 60)
        } else {
            asked
        }
    }

    /// Sets when an account item that is written now may be deleted.
    pub(super) fn keep(self, record: &mut AccountRecord, now: Timestamp) {
        let (sessions, not_before_times) = (record.sessions_end(), record.not_before_times_end());
        record.time_to_live = Some(match self.0 {
            Some(Mutant::RecordExpiresBeforeNotBefore) => sessions,
            Some(Mutant::RecordExpiresWithWhatItHolds) => sessions.max(not_before_times),
            _ => sessions
                .max(not_before_times)
                .max(now + NOT_BEFORE_LIFETIME),
        });
    }

    /// Sets the not-before time of an evict target.
    pub(super) fn set_not_before(
        self,
        record: &mut AccountRecord,
        target: &EvictTarget,
        expires_at: Timestamp,
    ) {
        if self.is(Mutant::NoNotBefore) {
            return;
        }
        if self.is(Mutant::OneNotBeforeForBothClocks) && matches!(target, EvictTarget::Account(_)) {
            (record.store, record.provider) = (None, None);
        }
        if let Some((not_before, at)) = record.not_before(target) {
            if self.is(Mutant::NotBeforeLowered) {
                *not_before = Some(NotBefore { at, expires_at });
            } else {
                NotBefore::raise(not_before, at, expires_at);
            }
        }
    }
}

//! Protocols and stores that are wrong in one place. Each must be refuted, or the model proves nothing.

use std::time::Duration;

use token_cache_core::{EvictTarget, NOT_BEFORE_LIFETIME, Timestamp};

use super::{
    scenario::Scenario,
    scenarios,
    state::{AccountRecord, NotBefore},
};

macro_rules! mutants {
    ($($variant:ident $name:literal $scenario:literal $wrong:literal)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_enums, missing_docs, reason = "a list; `wrong` says what each is")]
        pub enum Mutant {
            $($variant,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What is wrong, in words.
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
    BackgroundSessionBeforeSidEntry "background-session-before-pointer" "redis: sign-in with background session, provider's message with a sid, job"
        "the background session is kept before the pointer is entered"
    BackgroundSessionOutlives "background-session-outlives" "redis: sign-in with background session, sign-out of the account, job"
        "a background session counts although its session has ended"
    IssuerReadBeforeWrite "issuer-read-before-write" "redis: sign-in, sign-out of the issuer"
        "the issuer's marker is read before the account's record is written"
    IssuerWithoutNotBefore "issuer-unmarked" "redis: sign-in, sign-out of the issuer"
        "a sign-out of an issuer visits the accounts and leaves no marker"
    NotAfterOnlyBeforeSending "not-after-only-before-sending" "redis: sign-in, sign-out of the account, time"
        "a sign-in that takes too long is told by the server that sends it, and not by the store"
    NotAfterOnlyFirstStep "not-after-only-first-step" "redis: sign-in, provider's message with a sid, time"
        "only the first step of a sign-in is refused when it is late"
    NotAfterBeforeSendingDynamoDb "not-after-only-before-sending-dynamodb" "dynamodb: sign-in, sign-out of the account, time"
        "the date of an answer is not looked at"
    OrderByIdTokenIat "order-by-id-token-iat" "redis: sign-in, provider's message with a subject"
        "a session's place on the provider's clock is the ID token's `iat`"
    OneClock "one-clock" "redis: sign-in, provider's message with a subject, its clock ahead"
        "the provider's `iat` is compared with the store's clock"
    PlaceAtTheCallback "place-at-the-callback" "redis: sign-in, sign-out of the account"
        "a session's place on the store's clock is the moment of its callback"
    PlaceAtUpperEnd "place-at-upper-end" "redis: sign-in, sign-out of the account"
        "a session's place is the upper end of the estimate of the store's clock"
    CutoffAtLowerEnd "cut-at-lower-end" "redis: sign-in, sign-out of the account"
        "a cut's moment is the lower end of the estimate of the store's clock"
    NoNotBefore "no-marker" "redis: sign-in, sign-out of the account"
        "a sign-out of an account leaves no marker"
    NotBeforeTooShort "marker-too-short" "redis: sign-in, sign-out of the account, time"
        "a marker lives shorter than a sign-in may take"
    RecordExpiresBeforeNotBefore "record-expires-before-markers" "dynamodb: sign-in, sign-out of the account, time"
        "an account item expires with its last session, and its markers with it"
    RecordExpiresWithWhatItHolds "record-expires-with-what-it-holds" "dynamodb: sign-in, sign-out by ticket, time"
        "an account item that is emptied may be deleted at once, and an old write finds it absent again"
    RequestsWithoutDate "requests-without-date" "dynamodb: sign-in, sign-out of the account, time"
        "a request is taken however long ago it was signed"
    NotBeforeLowered "marker-lowered" "redis: sign-in, two sign-outs of the account"
        "a sign-out that lands late, or once more, lowers the marker"
    DuplicateEndsNewer "duplicate-ends-newer" "redis: sign-out of the account, then single sign-on"
        "a late duplicate of a sign-out ends what signed in since"
    EvictsUnconditionally "cut-unconditional" "dynamodb: sign-out of the account, then single sign-on"
        "the sign-out of an account empties the account item without a condition"
    OneNotBeforeForBothClocks "one-marker-for-both-clocks" "redis: sign-in, sign-out by the app and by the provider"
        "the marker of one clock replaces the other's"
    SidNotBeforeLast "sid-marked-last" "redis: sign-in, provider's message with a sid"
        "the accounts are cut first, then the `sid` is marked"
    SidWithoutNotBefore "sid-unmarked" "redis: sign-in, provider's message with a sid"
        "a sign-out by `sid` leaves no marker in the index"
    TombstoneForAnswer "tombstone-for-answer" "redis: sign-in, provider's message with a sid, delivered again"
        "a `sid` that is marked already is taken to be signed out"
    OneAccountPerSid "one-account-per-sid" "redis: two accounts under one sid"
        "the index keeps one account per `sid`"
    SidEntryExpiryFalls "pointer-expiry-falls" "redis: two lives under one sid, time"
        "a sign-in with a shorter life shortens the index entry's"
    SidsWithoutSidIndex "labels-without-directory" "redis without a directory: sign-in, provider's message"
        "a store without a directory records labels"
    WriteUnchecked "write-unchecked" "redis: sign-in, write, sign-out of the account"
        "a write does not look whether its session lives"
    PutWithoutAccountRead "put-without-account-read" "dynamodb: sign-in, write, sign-out of the account"
        "an entry is put, and the account item is not read afterwards"
    CreationsForgotten "creations-forgotten" "redis: sign-in, write over nothing, removal"
        "a store forgets what it has written over nothing"
    CreationsRemoved "creations-removed" "dynamodb: sign-in, write over nothing, removal"
        "a removal takes along what created the entry"
    FailureSwallowed "failure-swallowed" "redis: sign-in, sign-out of the account"
        "a sign-out whose request failed says `Ok`"
    EndedAlways "ended-always" "redis: sign-in, sign-out of the account"
        "a sign-out that ended nothing says that it did"
}

/// What is wrong with a store or a protocol, if anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bent(pub Option<Mutant>);

impl Mutant {
    /// The mutant of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mutant| mutant.name() == name)
    }

    /// The scenario that refutes it, bent by it.
    pub fn scenario(self) -> Option<Scenario> {
        let mut scenario = scenarios::all()
            .into_iter()
            .find(|scenario| scenario.name == self.refuted_by())?;
        scenario.bent = Bent(Some(self));
        Some(scenario)
    }
}

impl Bent {
    /// True where this is what is wrong.
    pub(super) fn is(self, mutant: Mutant) -> bool {
        self.0 == Some(mutant)
    }

    /// True where steps after the first take what is late.
    pub(super) fn forgets_not_after(self) -> bool {
        self.is(Mutant::NotAfterOnlyFirstStep) || self.sends_unchecked()
    }

    /// True where the first step takes what is late.
    pub(super) fn sends_unchecked(self) -> bool {
        self.is(Mutant::NotAfterOnlyBeforeSending) || self.is(Mutant::NotAfterBeforeSendingDynamoDb)
    }

    /// How long a marker lives.
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

    /// Leaves a cut's marker.
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

//! Protocols that are wrong in one place. Each must be refuted, or the model proves nothing.

use super::scenario::LocalScenario;

macro_rules! mutants {
    ($($variant:ident $name:literal $scenario:literal $wrong:literal)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_enums, missing_docs, reason = "a list; `wrong` says what each is")]
        pub enum LocalMutant {
            $($variant,)*
        }

        impl LocalMutant {
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
    AckBeforeDrop "ack-before-drop" "a sign-out, a backplane lost"
        "a server acknowledges first and drops its copies then"
    LeaseUnchecked "lease-unchecked" "a sign-out, a backplane lost"
        "a copy is served whether the lease runs or not"
    LeaseFromReceipt "lease-from-receipt" "a sign-out, a backplane lost"
        "a lease runs from the moment its renewal is answered"
    CreditedFromReply "credited-from-reply" "a sign-out, a backplane lost"
        "a lease is credited when the reply comes, which may overtake invalidation messages"
    NoDriftMargin "no-drift-margin" "a sign-out, a backplane lost"
        "a sign-out waits for a lease as if all clocks went alike"
    CachedReadsOutliveConnection "copies-outlive-connection" "a sign-out, a backplane lost"
        "what was filled on one connection is served on the next"
    CounterAfterRead "stamp-after-read" "a sign-out, a backplane lost"
        "a copy is stamped when its read is answered"
    CounterUnchecked "stamp-unchecked" "a sign-out, a backplane lost"
        "a copy is kept and served whatever was published since its read was sent"
    JoinsWhatWasSent "joins-what-was-sent" "a sign-out, a backplane lost"
        "a read joins another that was sent before, whatever happened since"
    OriginKeepsItsOwn "origin-keeps-its-own" "two servers sign the same account out"
        "who signs out goes on serving its own copies"
    NothingIsNotPublished "nothing-is-not-published" "a sign-out, its answer lost"
        "a sign-out that is sent again, and ended nothing, publishes nothing"
    ReapMissing "silent-servers-stay" "one after the other, a server dead for a while"
        "a server that was waited for in vain stays in the registry"
    RegistryReadBeforeEviction "registry-read-before-eviction" "cluster: a sign-out in two requests"
        "the invalidation message, and the look at who holds a lease, come before the eviction"
    YoungNotWaited "young-not-waited" "a registry lost"
        "a registry is taken for whole however young it is"
    YoungPerConnection "young-per-connection" "a registry lost"
        "who has had its connection for long takes any registry for whole"
    RenewalsCountedPerHolder "renewals-counted-per-holder" "one after the other, a server dead for a while"
        "a server's renewals are counted in its own entry, from one"
    YoungPerRegistry "young-per-registry" "a failover"
        "who has known a registry for long takes it for whole on a new connection as well"
    OneIdForAllSendings "one-id-for-all-sendings" "a failover, an eviction lost"
        "a sign-out that is sent again is published under the id that it had"
    VouchesForTheConnectionBefore "vouches-for-the-connection-before" "a failover"
        "what was known of the registry is forgotten after the backplane was opened, not before"
    DemotedKeepsListeners "demoted-keeps-listeners" "a failover"
        "invalidation messages reach those who listen to a server that is no primary any more"
    RegistryOfAnotherProcess "registry-of-another-process" "a failover"
        "a registry is compared with the one on the backplane, whichever server answered"
    PopulatesOverAnotherConnection "fills-over-another-connection" "split brain"
        "the reads that fill copies go over another connection than the backplane"
    LateRenewalCredited "late-renewal-credited" "split brain"
        "the answer to a renewal of an earlier connection counts for the new one"
    LeaseOutlivesConnection "lease-outlives-connection" "split brain"
        "the lease of an earlier connection runs on under the new one"
    LeaseRunsWhileConnecting "lease-runs-while-connecting" "split brain"
        "the lease of a backplane that is lost runs on until the next one is open"
    WriteFills "write-fills" "a refresh writes back"
        "what a refresh has written is kept as a copy, stamped when it was answered"
    WriteInvalidatesFirst "write-invalidates-first" "a refresh writes back"
        "a server drops its own copy before it writes, and not after"
    AgeFromReceipt "age-from-receipt" "no backplane: copies of an age"
        "a copy's age is counted from the answer to its read"
    AgeWaitedFromSending "age-waited-from-sending" "no backplane: copies of an age"
        "a sign-out waits for an age from when it was sent, and not from its answer"
    ServesAtOnce "serves-at-once" "the first server that keeps copies"
        "a server serves copies before every other knows that it does"
    PopulatesAtOnce "fills-at-once" "the first server that keeps copies"
        "a server fills copies, though it serves none, before every other knows that it does"
    NearCachesAskedForFirst "copies-asked-for-first" "the first server that keeps copies"
        "who signs out asks whether copies are kept before the eviction, and not after"
}

impl LocalMutant {
    /// The mutant of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mutant| mutant.name() == name)
    }

    /// The scenario that refutes it, with it.
    pub fn scenario(self) -> Option<LocalScenario> {
        let mut scenario = super::scenarios::all()
            .into_iter()
            .find(|scenario| scenario.name == self.refuted_by())?;
        scenario.wrong = Some(self);
        Some(scenario)
    }
}

//! Protocols with one deliberate fault each. The model proves nothing unless it refutes every one of them.

use super::scenario::NearCacheScenario;

macro_rules! mutants {
    ($($variant:ident $name:literal $scenario:literal $wrong:literal)*) => {
        /// A deliberate fault of a protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_enums, missing_docs, reason = "a list; `wrong` says what each is")]
        pub enum NearCacheMutant {
            $($variant,)*
        }

        impl NearCacheMutant {
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
    AckBeforeDrop "ack-before-drop" "a sign-out, a backplane lost"
        "a server acknowledges first and drops its near-cache entries then"
    LeaseUnchecked "lease-unchecked" "a sign-out, a backplane lost"
        "a near-cache entry is served whether the lease is valid or not"
    LeaseFromReceipt "lease-from-receipt" "a sign-out, a backplane lost"
        "a lease starts when its renewal is answered"
    CreditedFromReply "credited-from-reply" "a sign-out, a backplane lost"
        "a lease is credited when the reply comes, which may overtake invalidation messages"
    NoDriftMargin "no-drift-margin" "a sign-out, a backplane lost"
        "a sign-out waits for a lease as if all clocks ran at the same rate"
    CachedReadsOutliveConnection "cached-reads-outlive-connection" "a sign-out, a backplane lost"
        "near-cache entries of one connection are served on the next"
    CounterAfterRead "counter-after-read" "a sign-out, a backplane lost"
        "the invalidation counter of a near-cache entry is taken when its read is answered"
    CounterUnchecked "counter-unchecked" "a sign-out, a backplane lost"
        "a near-cache entry is stored and served whatever was published since its read was sent"
    JoinsWhatWasSent "joins-what-was-sent" "a sign-out, a backplane lost"
        "a read joins an earlier one, whatever happened since that was sent"
    OriginKeepsItsOwn "origin-keeps-its-own" "two servers sign the same account out"
        "the server that signs out continues to serve its own near-cache entries"
    NothingIsNotPublished "nothing-is-not-published" "a sign-out, its answer lost"
        "a sign-out that is sent again and ends nothing publishes nothing"
    ReapMissing "silent-servers-stay" "one after the other, a server dead for a while"
        "a server that was waited for in vain stays in the registry"
    RegistryReadBeforeEviction "registry-read-before-eviction" "cluster: a sign-out in two requests"
        "the message is published, and the leases are read, before the eviction"
    YoungNotWaited "young-not-waited" "a registry lost"
        "a registry is taken to be complete however young it is"
    YoungPerConnection "young-per-connection" "a registry lost"
        "a server with an old connection takes any registry to be complete"
    RenewalsCountedPerServer "renewals-counted-per-server" "one after the other, a server dead for a while"
        "a server's renewals are counted in its own entry, from one"
    YoungPerRegistry "young-per-registry" "a failover"
        "a server that has long known a registry takes it to be complete on a new connection as well"
    OneIdForAllSendings "one-id-for-all-sendings" "a failover, an eviction lost"
        "a sign-out that is sent again is published under the same id"
    VouchesForTheConnectionBefore "vouches-for-the-connection-before" "a failover"
        "the known registry is forgotten after the backplane was opened, and not before"
    DemotedKeepsListeners "demoted-keeps-listeners" "a failover"
        "invalidation messages reach the listeners of a server that is no longer a primary"
    RegistryOfAnotherProcess "registry-of-another-process" "a failover"
        "a registry is compared with the one on the backplane, whichever server answered"
    PopulatesOverAnotherConnection "populates-over-another-connection" "split brain"
        "reads that populate the near cache use another connection than the backplane"
    LateRenewalCredited "late-renewal-credited" "split brain"
        "the answer to a renewal of an earlier connection counts for the new one"
    LeaseOutlivesConnection "lease-outlives-connection" "split brain"
        "the lease of an earlier connection stays valid on the new one"
    LeaseRunsWhileConnecting "lease-runs-while-connecting" "split brain"
        "the lease of a lost backplane stays valid until the next one is open"
    WritePopulates "write-populates" "a refresh writes back"
        "the result of a refresh becomes a near-cache entry, with the counter of when its write was answered"
    WriteInvalidatesFirst "write-invalidates-first" "a refresh writes back"
        "a server drops its own near-cache entry before it writes, and not after"
    AgeFromReceipt "age-from-receipt" "no backplane: a maximum age"
        "the age of a near-cache entry is counted from the answer to its read"
    AgeWaitedFromSending "age-waited-from-sending" "no backplane: a maximum age"
        "a sign-out waits for the maximum age from when it was sent, and not from its answer"
    ServesAtOnce "serves-at-once" "the first server with a near cache"
        "a server serves near-cache entries before every other server knows that it does"
    PopulatesAtOnce "populates-at-once" "the first server with a near cache"
        "a server populates its near cache, without serving from it, before every other server knows that it has one"
    NearCachesAskedForFirst "near-caches-asked-for-first" "the first server with a near cache"
        "a sign-out checks whether near caches are in use before the eviction, and not after"
}

impl NearCacheMutant {
    /// Returns the mutant of this name, or `None` if there is no such mutant.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mutant| mutant.name() == name)
    }

    /// Returns the scenario that refutes it, with this mutant in it.
    pub fn scenario(self) -> Option<NearCacheScenario> {
        let mut scenario = super::scenarios::all()
            .into_iter()
            .find(|scenario| scenario.name == self.refuted_by())?;
        scenario.wrong = Some(self);
        Some(scenario)
    }
}

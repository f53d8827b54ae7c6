use std::{collections::BTreeMap, fmt, time::Duration};

use super::{Options, Topology, backplane_faults::BackplaneFaults};
use crate::{
    fleet::{BROKEN_LEASE, Users},
    history::{NearCacheRules, Report, Rules},
};

/// Shorter than the default, so that leases run out often.
const LEASE: Duration = Duration::from_millis(500);
/// Longer than a fault, so that near-cache entries outlast it, and shorter than a run.
const MAX_AGE: Duration = Duration::from_secs(3);
/// Every sign-out waits this long if the store has no backplane.
const MAX_AGE_WITHOUT_BACKPLANE: Duration = Duration::from_millis(500);

/// The near-cache configuration of an app server of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It has a near cache, and its sign-outs wait for the others.
    WithNearCache,
    /// It has a near cache, and its sign-outs do not wait.
    WithNearCacheNotWaiting,
    /// It has no near cache, and its sign-outs wait for the others.
    WithoutNearCache,
}

impl Role {
    /// Returns the role of the app server number `at`.
    pub(super) fn of(at: usize, options: &Options) -> Self {
        match (options.near_cache, options.processes - at) {
            (false, _) | (true, 1) => Self::WithoutNearCache,
            (true, 2) => Self::WithNearCacheNotWaiting,
            (true, _) => Self::WithNearCache,
        }
    }

    /// Returns the parameters for its URL.
    pub(super) fn parameters(self, topology: Topology) -> String {
        match (self, topology) {
            (Self::WithoutNearCache, _) => String::new(),
            (_, Topology::DynamoDb) => {
                format!("near_cache={}ms", MAX_AGE_WITHOUT_BACKPLANE.as_millis())
            }
            _ => format!(
                "near_cache={}s&lease={}ms",
                MAX_AGE.as_secs(),
                LEASE.as_millis()
            ),
        }
    }

    pub(super) fn signs_out_at_once(self) -> bool {
        self == Self::WithNearCacheNotWaiting
    }
}

/// Returns the users of a run.
pub(super) fn users(options: &Options) -> Users {
    if options.near_cache || options.design.is_broken_near_cache() {
        Users::Hot
    } else {
        Users::Usual
    }
}

/// Returns the backplane faults of a run, or `None` if no app server depends on a backplane.
pub(super) fn backplane_faults(options: &Options) -> Option<BackplaneFaults> {
    let lease = if options.design.is_broken_near_cache() {
        BROKEN_LEASE
    } else {
        LEASE
    };
    BackplaneFaults::of(options, lease)
}

/// Adds the rules for near caches to those of a run.
pub(super) fn with_near_cache(rules: Rules, topology: Topology) -> Rules {
    let (life, age) = if topology == Topology::DynamoDb {
        (MAX_AGE_WITHOUT_BACKPLANE, MAX_AGE_WITHOUT_BACKPLANE)
    } else {
        (LEASE, MAX_AGE)
    };
    rules.with_near_cache(NearCacheRules {
        not_awaited: stated(life),
        outdated: millis(age),
    })
}

/// Returns how long near-cache entries may be served after a sign-out that does not wait. Clocks drift by less than a fiftieth.
fn stated(life: Duration) -> u64 {
    millis(life + life / 50) + 5
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What the app servers counted of their near caches. Counts of the last moments before a kill are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearCacheFigures {
    /// Reads that a near cache answered.
    pub hits: u64,
    /// Copies that could not be served any more when they were asked for.
    pub stale: u64,
    /// Renewals of leases.
    pub renewals: u64,
    /// Backplane connections that were lost.
    pub backplanes_lost: u64,
    /// Sign-outs by what ended their wait: acknowledgements, a lease, a maximum age, nothing.
    pub sign_outs: BTreeMap<String, u64>,
}

impl NearCacheFigures {
    pub(super) fn of(figures: &BTreeMap<String, u64>) -> Self {
        let of = |name: &str| figures.get(name).copied().unwrap_or_default();
        let waits = figures.iter().filter_map(|(name, count)| {
            let outcome = name.strip_prefix("token_cache_sign_out_waits_total ")?;
            Some((outcome.to_owned(), *count))
        });
        Self {
            hits: of("token_cache_near_cache_reads_total hit"),
            stale: of("token_cache_near_cache_reads_total stale"),
            renewals: of("token_cache_lease_renewals_total renewed"),
            backplanes_lost: of("token_cache_leases_lost_total"),
            sign_outs: waits.collect(),
        }
    }

    /// Returns `true` if near caches answered enough reads for a meaningful result: a twentieth of those that found tokens.
    ///
    /// Servers without near caches, and those that have just started, answer no reads from near caches.
    pub fn are_enough(&self, report: &Report) -> bool {
        let found = u64::try_from(report.counts.found).unwrap_or(u64::MAX);
        self.hits > found / 20
    }
}

impl fmt::Display for NearCacheFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hits,
            stale,
            renewals,
            backplanes_lost,
            sign_outs,
        } = self;
        writeln!(f, "reads from near caches  {hits:>9} ({stale} stale)")?;
        write!(
            f,
            "renewals of leases      {renewals:>9} ({backplanes_lost} backplane connections lost)"
        )?;
        for (outcome, count) in sign_outs {
            let what = format!("sign-outs: {outcome}");
            write!(f, "\n{what:<23} {count:>9}")?;
        }
        Ok(())
    }
}

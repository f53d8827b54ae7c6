use std::{collections::BTreeMap, fmt, time::Duration};

use super::{Options, Topology, link_faults::LinkFaults};
use crate::{
    fleet::{BROKEN_LEASE, Users},
    history::{CopyRules, Report, Rules},
};

/// Shorter than by default, so that leases run out often.
const LEASE: Duration = Duration::from_millis(500);
/// Longer than a fault, so that copies meet it, and shorter than a run.
const MAX_AGE: Duration = Duration::from_secs(3);
/// Where the store has no link every sign-out waits so long.
const MAX_AGE_WITHOUT_LINK: Duration = Duration::from_millis(500);

/// What an app server of a run does about local copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It keeps copies, and its sign-outs wait for the others'.
    Keeps,
    /// It keeps copies, and its sign-outs wait for nobody.
    KeepsAndSignsOutAtOnce,
    /// It keeps none, and its sign-outs wait for the others'.
    KeepsNone,
}

impl Role {
    /// The part of the app server number `at`.
    pub(super) fn of(at: usize, options: &Options) -> Self {
        match (options.local, options.processes - at) {
            (false, _) | (true, 1) => Self::KeepsNone,
            (true, 2) => Self::KeepsAndSignsOutAtOnce,
            (true, _) => Self::Keeps,
        }
    }

    /// What its URL says of it.
    pub(super) fn parameters(self, topology: Topology) -> String {
        match (self, topology) {
            (Self::KeepsNone, _) => String::new(),
            (_, Topology::DynamoDb) => {
                format!("local_copies={}ms", MAX_AGE_WITHOUT_LINK.as_millis())
            }
            _ => format!(
                "local_copies={}s&lease={}ms",
                MAX_AGE.as_secs(),
                LEASE.as_millis()
            ),
        }
    }

    pub(super) fn signs_out_at_once(self) -> bool {
        self == Self::KeepsAndSignsOutAtOnce
    }
}

/// Who comes to the app servers of a run.
pub(super) fn users(options: &Options) -> Users {
    if options.local || options.design.is_broken_copies() {
        Users::Hot
    } else {
        Users::Usual
    }
}

/// What happens to the links of a run; none where nothing hangs on them.
pub(super) fn link_faults(options: &Options) -> Option<LinkFaults> {
    let lease = if options.design.is_broken_copies() {
        BROKEN_LEASE
    } else {
        LEASE
    };
    LinkFaults::of(options, lease)
}

/// The rules, of a run whose servers keep copies.
pub(super) fn with_copies(rules: Rules, topology: Topology) -> Rules {
    let (life, age) = if topology == Topology::DynamoDb {
        (MAX_AGE_WITHOUT_LINK, MAX_AGE_WITHOUT_LINK)
    } else {
        (LEASE, MAX_AGE)
    };
    rules.with_copies(CopyRules {
        not_awaited: stated(life),
        outdated: millis(age),
    })
}

/// For how long a sign-out that does not wait says that copies may be served: clocks part by less than a fiftieth.
fn stated(life: Duration) -> u64 {
    millis(life + life / 50) + 5
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What the app servers counted of their copies, as far as they lived to say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyFigures {
    /// Reads that a copy answered.
    pub hits: u64,
    /// Copies that could not be served any more when they were asked for.
    pub lapsed: u64,
    /// Renewals of leases.
    pub renewals: u64,
    /// Links that were lost.
    pub links_lost: u64,
    /// Sign-outs by what ended their wait: acknowledgements, a lease, an age, nothing.
    pub sign_outs: BTreeMap<String, u64>,
}

impl CopyFigures {
    pub(super) fn of(figures: &BTreeMap<String, u64>) -> Self {
        let of = |name: &str| figures.get(name).copied().unwrap_or_default();
        let waits = figures.iter().filter_map(|(name, count)| {
            let outcome = name.strip_prefix("token_cache_sign_out_waits_total ")?;
            Some((outcome.to_owned(), *count))
        });
        Self {
            hits: of("token_cache_copy_reads_total hit"),
            lapsed: of("token_cache_copy_reads_total lapsed"),
            renewals: of("token_cache_lease_renewals_total renewed"),
            links_lost: of("token_cache_leases_lost_total"),
            sign_outs: waits.collect(),
        }
    }

    /// Whether so many of the reads that found tokens were answered by copies that the run says something about them: a
    /// twentieth. Servers without copies, and those that have just started, have none.
    pub fn are_enough(&self, report: &Report) -> bool {
        let found = u64::try_from(report.counts.found).unwrap_or(u64::MAX);
        self.hits > found / 20
    }
}

impl fmt::Display for CopyFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hits,
            lapsed,
            renewals,
            links_lost,
            sign_outs,
        } = self;
        writeln!(f, "reads from copies       {hits:>9} ({lapsed} lapsed)")?;
        write!(
            f,
            "renewals of leases      {renewals:>9} ({links_lost} links lost)"
        )?;
        for (outcome, count) in sign_outs {
            let what = format!("sign-outs: {outcome}");
            write!(f, "\n{what:<23} {count:>9}")?;
        }
        Ok(())
    }
}

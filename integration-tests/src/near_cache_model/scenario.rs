//! The parts of a scenario.

use super::mutants::NearCacheMutant;

/// A set of servers, their operations, and the faults that may occur.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct NearCacheScenario {
    /// Its name.
    pub name: &'static str,
    /// The servers.
    pub servers: Vec<ServerSetup>,
    /// The initial state.
    pub start: Start,
    /// The sign-outs.
    pub sign_outs: Vec<SignOutAct>,
    /// The server and the account of each repeated read.
    pub reads: Vec<(usize, usize)>,
    /// The server and the account of each write-back of a refresh. Each occurs once.
    pub writes: Vec<(usize, usize)>,
    /// The servers that may lose their backplane connection.
    pub loses: Vec<usize>,
    /// Maximum number of ticks, or `None` for no limit.
    pub ticks: Option<u16>,
    /// Maximum number of faults in a schedule.
    pub faults: u8,
    /// `true` if a fault occurs first, with only reads before it.
    pub fault_first: bool,
    /// The possible faults.
    pub kinds: Vec<Fault>,
    /// `true` if an account's eviction is a request of its own, to another server of the store than the invalidation message.
    pub cluster: bool,
    /// The mutant, if any.
    pub wrong: Option<NearCacheMutant>,
}

/// A server of the fleet.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct ServerSetup {
    /// `true` if it has a near cache.
    pub near_caches: bool,
    /// How much its clock is too fast, in hundredths.
    pub rate: i32,
}

/// The initial state of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the beginnings of the model")]
pub enum Start {
    /// Every server has known the registry for longer than a lease, and has just renewed.
    Settled,
    /// Every server has just opened its backplane connection.
    Young,
    /// A replica has taken over, and the primary has not noticed. The first server has known the new one's registry for longer
    /// than a lease; the others know the old one, and have just renewed there.
    Split,
    /// The store has no backplane. Near-cache entries expire by age.
    NoBackplane,
    /// The same, and the namespace's record does not say yet that near caches are in use.
    Unsaid,
}

/// One sign-out.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct SignOutAct {
    /// The server that signs out.
    pub by: usize,
    /// The account.
    pub account: usize,
    /// The sign-out that must have returned before, if any.
    pub after: Option<usize>,
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the faults of the model")]
pub enum Fault {
    /// A backplane connection is lost, and its server has yet to notice.
    BackplaneLost,
    /// The answer to an eviction is lost, and it is sent again.
    AnswerLost,
    /// The registry is lost.
    RegistryLost,
    /// The primary dies, and a replica takes over.
    Failover(Lacks),
}

/// The data that a replica lacks when it takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the failovers of the model")]
pub enum Lacks {
    /// It lacks nothing.
    Nothing,
    /// A server's lease in the registry.
    NearCacheLease(usize),
    /// The registry.
    Registry,
    /// Evictions that were not answered.
    Evictions,
}

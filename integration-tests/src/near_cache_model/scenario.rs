//! What a scenario is made of.

use super::mutants::LocalMutant;

/// Some servers, what they do, and what may go wrong.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct LocalScenario {
    /// In a few words.
    pub name: &'static str,
    /// The servers.
    pub servers: Vec<InvalidationCoordinator>,
    /// How the world begins.
    pub start: Start,
    /// Who signs which account out.
    pub sign_outs: Vec<SignOutAct>,
    /// Which server reads which account, again and again.
    pub reads: Vec<(usize, usize)>,
    /// Which server writes the tokens of a refresh of which account, once.
    pub writes: Vec<(usize, usize)>,
    /// Whose links may be lost.
    pub loses: Vec<usize>,
    /// How many ticks may go by; none where any number may.
    pub ticks: Option<u16>,
    /// How many faults a schedule may have.
    pub faults: u8,
    /// True where a fault comes first, and only reads before it.
    pub fault_first: bool,
    /// Which faults.
    pub kinds: Vec<Fault>,
    /// True where an account's eviction is a request of its own, to another server of the store than the invalidation message.
    pub cluster: bool,
    /// What is wrong, if anything.
    pub wrong: Option<LocalMutant>,
}

/// A server of the fleet.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct InvalidationCoordinator {
    /// Whether it keeps copies.
    pub near_caches: bool,
    /// How many hundredths its clock is too fast.
    pub rate: i32,
}

/// How the world begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the beginnings of the model")]
pub enum Start {
    /// Every server has known the registry for longer than a lease, and has just renewed.
    Settled,
    /// Every server has just opened its backplane.
    Young,
    /// A replica has taken over, and the primary has not noticed. The first server has known the new one's registry for longer
    /// than a lease; the others know the old one, and have just renewed there.
    Split,
    /// The store has no backplane: copies die of age.
    NoBackplane,
    /// The same, and nobody has said yet that copies are kept.
    Unsaid,
}

/// One sign-out.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a description")]
pub struct SignOutAct {
    /// Which server is asked.
    pub by: usize,
    /// Which account ends.
    pub account: usize,
    /// Which sign-out has returned before.
    pub after: Option<usize>,
}

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the faults of the model")]
pub enum Fault {
    /// A link leads nowhere any more, and its server has yet to notice.
    BackplaneLost,
    /// The answer to an eviction is lost, and it is sent again.
    AnswerLost,
    /// The registry is lost.
    RegistryLost,
    /// The primary dies, and a replica takes over.
    Failover(Lacks),
}

/// What a replica that takes over does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the failovers of the model")]
pub enum Lacks {
    /// It has everything.
    Nothing,
    /// A server's place in the registry.
    NearCacheLease(usize),
    /// The registry.
    Registry,
    /// Evictions that were not answered yet.
    Evictions,
}

//! Local copies under a lease: what a server may serve of what it has read, and what a sign-out waits for so that no server can.
//!
//! An app sets a [`CopyPolicy`] on the [builder](crate::TokenCacheBuilder::local_copies), and is done: the rest is for those who put
//! the parts together themselves.
//!
//! The two halves of the protocol do no I/O: [`Holder`] is the side of who keeps copies, [`Clearance`] that of who signs out. The
//! clocks in both are a server's own, and only the rate at which they go matters.

mod acknowledgements;
mod boot_time;
mod clearance;
mod copies;
mod ears;
mod holder;
mod keeper;
mod kept;
mod known_registry;
mod link_task;
mod member;
mod optional_parts;
mod partition;
mod policy;
mod reads;
mod stamps;
mod store;
mod teller;
mod terms;
mod url;

pub use self::{
    boot_time::{BootInstant, BootTime, SystemBootTime},
    clearance::Clearance,
    copies::CopyFigures,
    holder::{ConnectionNumber, Holder},
    kept::KeptCopies,
    policy::CopyPolicy,
    stamps::Stamp,
    store::LocalCopies,
};
pub(crate) use self::{
    member::{Keeping, Member},
    terms::{STALE_AFTER, Terms},
};

//! Local copies under a lease: what a server may serve of what it has read, and what a sign-out waits for so that no server can.
//!
//! The two halves of the protocol do no I/O: [`Holder`] is the side of who keeps copies, [`Clearance`] that of who signs out. The
//! clocks in both are a server's own, and only the rate at which they go matters.

mod acknowledgements;
mod boot_time;
mod clearance;
mod ears;
mod holder;
mod link_task;
mod member;
mod stamps;
mod teller;
mod terms;

pub use self::{
    boot_time::{BootInstant, BootTime, SystemBootTime},
    clearance::Clearance,
    holder::{ConnectionNumber, Holder},
    stamps::Stamp,
};
pub(crate) use self::{
    member::{Keeping, Member},
    terms::{STALE_AFTER, Terms},
};

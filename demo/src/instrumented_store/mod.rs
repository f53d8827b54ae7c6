//! The store of one app server, which counts the reads and can cut the server's link to the backplane.

mod backplane;
mod backplane_switch;
mod connection;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::{backplane_switch::BackplaneSwitch, store::InstrumentedStore};

//! A store as one app server reaches it: what is read there is counted, and the server's link can be cut.

mod connection;
mod link;
mod link_switch;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::{link_switch::LinkSwitch, store::InstrumentedStore};

//! A store as one app server reaches it: what is read there is counted, and the server's link can be cut.

mod backplane;
mod backplane_switch;
mod connection;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::{backplane_switch::BackplaneSwitch, store::InstrumentedStore};

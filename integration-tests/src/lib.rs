//! Real servers, several processes, faults, and the model of the protocol (unpublished).

pub mod servers;

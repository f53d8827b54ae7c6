//! What stores on servers have in common, for those who write one.

mod backoff;
mod finding;
mod url;

pub use self::{
    backoff::backoff,
    finding::Finding,
    url::{parameter_name, percent_decoded},
};

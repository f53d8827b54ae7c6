//! What stores on servers have in common, for those who write one.

mod backoff;
mod duration;
mod finding;
mod prefix;
pub mod record;
mod url;

pub use self::{
    backoff::backoff,
    duration::{check_timeout, duration, long_duration},
    finding::Finding,
    prefix::check_prefix,
    url::{parameter_name, parameters, percent_decoded},
};

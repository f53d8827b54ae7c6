//! What stores on servers have in common, for those who write one.

mod backoff;
mod duration;
mod key_file;
mod prefix;
pub mod record;
mod url;

pub use self::{
    backoff::backoff,
    duration::{check_timeout, duration, long_duration},
    key_file::readable_by_others,
    prefix::check_prefix,
    url::{parameter_name, parameters, percent_decoded},
};

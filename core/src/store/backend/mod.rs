//! Helpers for authors of a store that runs on another machine, such as Redis: timeouts, retries, URL parameters and record formats.

mod backoff;
mod call_time;
mod duration;
mod key_file;
mod prefix;
pub mod record;
mod url;

pub(crate) use self::call_time::{in_boxed_call, in_call, in_same_call};
pub use self::{
    backoff::backoff,
    call_time::{StoreRequest, time_left},
    duration::{check_timeout, duration},
    key_file::readable_by_others,
    prefix::check_prefix,
    url::{parameter_name, parameters, percent_decoded},
};

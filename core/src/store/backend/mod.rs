//! Helpers for authors of a store that runs on another machine, such as Redis: timeouts, retries, URL parameters and record formats.

mod backoff;
mod call_time;
mod duration;
mod evict_each;
mod key_file;
mod lock_table;
mod not_before;
mod prefix;
pub mod record;
mod sid_table;
mod url;

pub(crate) use self::call_time::{in_boxed_call, in_call, in_same_call};
pub use self::{
    backoff::backoff,
    call_time::{StoreRequest, time_left},
    duration::{check_timeout, duration},
    evict_each::evict_each,
    key_file::readable_by_others,
    lock_table::LockTable,
    not_before::NotBeforeTimes,
    prefix::check_prefix,
    sid_table::SidTable,
    url::{parameter_name, parameters, percent_decoded},
};
pub use super::delegate::StoreFuture;

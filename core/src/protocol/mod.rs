//! The steps of a sign-in and a sign-out in their order, over any store.
//!
//! Each call on a [`TokenStore`](crate::TokenStore) is one atomic step. Two promises depend on the order of several steps: a sign-out is
//! final (G1), and an earlier sign-in that arrives later is refused (G2). The order is written here once, for every backend.
//!
//! [`TokenCache`](crate::TokenCache) runs these functions in tasks of their own. The model tests explore all their interleavings, crashes
//! and retries. Apps do not need them.

mod sign_in;
mod sign_out;

pub use self::{
    sign_in::{BackgroundPlan, SignInPlan, SignedIn, sign_in},
    sign_out::{SidScope, SidSignOut, StoreSignOut, end_session, sign_out_account, sign_out_sid},
};

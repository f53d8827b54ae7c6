//! Functions that take the steps of a sign-in and of a sign-out in the right order, in any store. Apps do not need them: a
//! [`TokenCache`](crate::TokenCache) calls them.
//!
//! Each call of a [`TokenStore`](crate::TokenStore) is one atomic step. Two promises depend on the order of several steps: a sign-out is
//! final (G1), and an earlier sign-in that arrives later is refused (G2). The model tests explore all orders of these steps, with crashes
//! and retries.

mod sign_in;
mod sign_out;

pub use self::{
    sign_in::{BackgroundPlan, SignInPlan, SignedIn, sign_in},
    sign_out::{SidScope, SidSignOut, StoreSignOut, end_session, sign_out_account, sign_out_sid},
};

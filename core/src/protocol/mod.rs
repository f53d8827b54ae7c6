//! The order of steps of a sign-in and a sign-out, over any store.
//!
//! Each call on a [`TokenStore`](crate::TokenStore) is one atomic step; G1 and G2 rest on the order in which several are
//! taken, and that order is written here once, for every backend. [`TokenCache`](crate::TokenCache) runs these functions in
//! tasks of their own; the model explores all their interleavings, crashes and retries. Apps have no use for them.

mod sign_in;
mod sign_out;

pub use self::{
    sign_in::{BackgroundPlan, SignInPlan, SignedIn, sign_in},
    sign_out::{SidScope, SidSignOut, StoreSignOut, end_session, sign_out_account, sign_out_sid},
};

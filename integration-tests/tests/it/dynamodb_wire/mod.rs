//! The requests of the DynamoDB store: which actions, how many of them, how they read, and how the store handles errors that no engine
//! returns.

mod actions;
mod errors;
mod requests;
mod setup;

#![doc = include_str!("../README.md")]
#![doc = include_str!("docs.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account_item;
mod account_ops;
mod background_sessions;
mod bulk;
mod client;
mod clock;
mod clock_watch;
mod config;
mod cursor;
mod duration;
mod entry;
mod error;
#[cfg(feature = "aws-sdk-dynamodb-1")]
mod existing_client;
mod keys;
mod locks;
mod preflight;
mod record;
mod sid_index;
mod sid_record;
mod store;
mod sweeper;
mod table;
#[cfg(feature = "test-util")]
pub mod test_util;
mod url;

pub use self::{
    config::DynamoDbConfig,
    store::DynamoDbStore,
    sweeper::{SweepOptions, SweepReport},
    url::SCHEMES,
};

/// The name of this store in errors.
const STORE: &str = "dynamodb";

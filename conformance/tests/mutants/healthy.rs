use token_cache_conformance::async_trait;

use crate::fault::Fault;

/// No fault at all: what is caught in the others is their fault, and not that of the wrapper around them.
#[derive(Default)]
pub(crate) struct Healthy;

#[async_trait]
impl Fault for Healthy {}

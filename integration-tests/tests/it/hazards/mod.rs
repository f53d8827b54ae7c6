//! Hazards around a sign-out. Each runs several app servers as processes of their own and a store of the test's own. Hazards of all stores
//! have one test, which runs on each store. Every operation is recorded, and the whole history is checked.

mod common;

mod cancelled;
mod connection;
mod creations;
mod dynamodb;
mod failover;
mod flush;
mod foreign;
mod full;
mod half_open;
mod opening;
mod paused;
mod plain;
mod restart;
mod topologies;
mod writers;

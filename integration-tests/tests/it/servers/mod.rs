//! Tests of the servers that all other tests rely on, with real processes.
mod cluster;
mod dynamodb;
mod dynamodb_proxy;
mod lifetime;
mod provided;
mod proxy;
mod proxy_links;
mod redis;
mod replicas;
mod tls;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{Json, extract::State};
use serde_json::{Value, json};
use token_cache::store::TokenStore;

use super::{server::Server, timeline::Kind};
use crate::near_cache::{LEASE, MAX_AGE};

/// Returns the current state of a server's near cache, without a request to the store.
pub(crate) fn copies(server: &Server) -> Value {
    let kept = server.cache().near_cache().unwrap_or_default();
    let link = match server.store().backplane() {
        None => "none",
        Some(_) if server.store().switch().is_cut() => "cut",
        Some(_) => "open",
    };
    json!({
        "server": server.name,
        "copies": kept.size.items,
        "bytes": kept.size.bytes,
        "served": server.served.load(Ordering::Relaxed),
        "link": link,
        "lease_ms": millis(LEASE),
        "lease_left_ms": kept.lease_left.map(millis),
        "max_age_ms": (link == "none").then(|| millis(MAX_AGE)),
    })
}

/// `POST /demo/link/cut`: this server receives no invalidation messages any more, and renews no lease.
pub(crate) async fn cut_backplane(State(server): State<Arc<Server>>) -> Json<Value> {
    if server.store().backplane().is_some() && server.store().switch().cut() {
        server.tell(
            Kind::Backplane,
            "Its backplane is cut: it receives no invalidation messages, and may serve its copies until its lease has run out.",
        );
    }
    Json(copies(&server))
}

/// `POST /demo/link/mend`: this server empties its near cache, and gets a lease again.
pub(crate) async fn mend_backplane(State(server): State<Arc<Server>>) -> Json<Value> {
    if server.store().switch().mend() {
        server.tell(
            Kind::Backplane,
            "Its backplane is mended: it drops the copies that it has, and gets a lease again.",
        );
    }
    Json(copies(&server))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

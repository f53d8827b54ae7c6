use std::sync::atomic::{AtomicBool, Ordering};

use token_cache::near_cache::NearCacheOutcome;
use token_cache_integration_tests::servers::{RedisCluster, RedisServer};

use crate::backplane::{
    common::eventually,
    fleet::{Fleet, NEAR_CACHE, are_served_from_near_caches, entry, is_served_by_nobody, node_of},
};

const KEY: &str = "tc:{l}:r";
const CHANNEL: &str = "tc:{l}:a";
const NODES: usize = 3;

/// A move of the backplane's slot from one node to another.
struct Move<'a> {
    nodes: &'a [RedisServer],
    slot: String,
    from: &'a RedisServer,
    to: &'a RedisServer,
}

impl<'a> Move<'a> {
    fn of(nodes: &'a [RedisServer]) -> Self {
        let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", KEY]).unwrap();
        let slot = usize::try_from(slot.int().unwrap()).unwrap();
        let at = node_of(slot, NODES);
        Self {
            nodes,
            slot: slot.to_string(),
            from: &nodes[at],
            to: &nodes[(at + 1) % NODES],
        }
    }

    /// Returns the steps, as in `redis-cli --cluster reshard`.
    fn steps(&self) -> Vec<(&RedisServer, Vec<String>)> {
        let (from, to) = (id_of(self.from), id_of(self.to));
        let slot = |node, what: &[&str]| {
            let set = ["CLUSTER", "SETSLOT", &self.slot];
            (node, owned(&[&set, what].concat()))
        };
        let port = self.to.port().to_string();
        let key = owned(&["MIGRATE", "127.0.0.1", &port, KEY, "0", "5000"]);
        let others = self
            .nodes
            .iter()
            .filter(|node| node.port() != self.to.port());
        let mut steps = vec![
            slot(self.to, &["IMPORTING", &from]),
            slot(self.from, &["MIGRATING", &to]),
            (self.from, key),
            slot(self.to, &["NODE", &to]),
        ];
        steps.extend(others.map(|node| slot(node, &["NODE", &to])));
        steps
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn id_of(node: &RedisServer) -> String {
    let id = node.cli(&["CLUSTER", "MYID"]).unwrap();
    id.text().unwrap().to_owned()
}

/// Returns how many servers are subscribed to invalidation messages at a node.
fn listening_at(node: &RedisServer) -> Option<i64> {
    let told = node.cli(&["PUBSUB", "SHARDNUMSUB", CHANNEL]).unwrap();
    told.items()?[1].int()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_entries_go_through_a_move_of_the_backplanes_slot() {
    let cluster = RedisCluster::start(NODES).unwrap();
    near_caches_go_through_a_move(&cluster, NEAR_CACHE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_entries_go_through_a_move_of_the_backplanes_slot_that_replicas_confirm() {
    let cluster = RedisCluster::with_replicas(NODES).unwrap();
    near_caches_go_through_a_move(&cluster, &format!("replicas=1&{NEAR_CACHE}")).await;
}

async fn near_caches_go_through_a_move(cluster: &RedisCluster, parameters: &str) {
    let nodes = cluster.nodes();
    let addresses: Vec<_> = nodes
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    let parameters = format!("operation_timeout=2s&connect_timeout=2s&{parameters}");
    let url = format!("redis+cluster://{}?{parameters}", addresses.join(","));
    let fleet = Fleet::of(&vec![url; 3]).await;
    let servers: Vec<_> = nodes.iter().collect();
    let moving = Move::of(nodes);
    let steps = moving.steps();
    let living = fleet.signs_in("bob").await;
    let mut ended = Vec::new();
    for step in 0..steps.len() {
        let sessions = fleet.signs_in(&format!("ada {step}")).await;
        are_served_from_near_caches(&sessions, &servers).await;
        ended.push(sessions);
    }
    are_served_from_near_caches(&living, &servers).await;

    let moved = AtomicBool::new(false);
    let steps_taken = async {
        for (step, (node, command)) in steps.iter().enumerate() {
            let done = node.cli(command).unwrap();
            assert_eq!(done.text(), Some("OK"), "{command:?}");
            fleet.signs_out(step % 3, &format!("ada {step}")).await;
            is_served_by_nobody(&ended[step]).await;
        }
        moved.store(true, Ordering::Relaxed);
    };
    // Any step may occur in the middle of a sign-out.
    let sign_outs = async {
        let mut count = 0;
        while !moved.load(Ordering::Relaxed) {
            let subject = format!("carol {count}");
            let sessions = fleet.signs_in(&subject).await;
            for session in &sessions {
                let _ = session.get(&entry()).await;
            }
            fleet.signs_out(count % 3, &subject).await;
            is_served_by_nobody(&sessions).await;
            count += 1;
        }
    };
    tokio::join!(steps_taken, sign_outs);

    for sessions in &ended {
        is_served_by_nobody(sessions).await;
    }
    eventually("all servers are subscribed at the new node", async || {
        (listening_at(moving.to) == Some(3) && listening_at(moving.from) == Some(0)).then_some(())
    })
    .await;
    are_served_from_near_caches(&living, &servers).await;
    eventually("all servers with a lease acknowledge", async || match fleet
        .signs_out(0, "dora")
        .await
    {
        NearCacheOutcome::Cleared {
            servers, silent, ..
        } if servers.len() == 2 && silent.is_empty() => Some(()),
        _ => None,
    })
    .await;
    fleet.signs_out(2, "bob").await;
    is_served_by_nobody(&living).await;
}

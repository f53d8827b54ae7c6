use serde_json::Value;
use token_cache_integration_tests::{
    fleet::{Fleet, Got, Program, RefreshSettings, Refreshing, Storm, Ticketed, User},
    servers::{OidcProvider, OwnStore, StoreKind},
};
use tokio::runtime::Runtime;

const SERVERS: usize = 4;
const CALLERS: usize = 50;
const ROUNDS: u64 = 3;

struct Stage {
    fleet: Fleet,
    session: Ticketed,
    storm: Storm,
}

impl Stage {
    /// Stores a token response of 1970, so that it has expired.
    fn keep(&self, response: &Value) {
        let keep = Refreshing::Keep {
            response: response.clone(),
            received_at: 1,
        };
        let kept = self.fleet.server(0).refresh(&self.session.ticket, keep);
        assert_eq!(kept.wait().unwrap()[0].got, Got::Nothing);
    }

    /// Returns the result of all callers of all servers, which must be the same.
    fn all(&self) -> Got {
        let begin = |at| {
            let storm = Refreshing::Storm(self.storm.clone());
            self.fleet.server(at).refresh(&self.session.ticket, storm)
        };
        let running: Vec<_> = (0..SERVERS).map(begin).collect();
        let mut got = running
            .into_iter()
            .flat_map(|running| running.wait().unwrap())
            .map(|refreshed| refreshed.got);
        let first = got.next().unwrap();
        assert!(first.access_token().is_some(), "{first:?}");
        assert!(got.all(|other| other == first));
        first
    }
}

#[test]
fn four_processes_of_fifty_callers_send_each_refresh_token_once() {
    let runtime = Runtime::new().unwrap();
    let provider = OidcProvider::start().unwrap();
    let metadata: Value = runtime
        .block_on(provider.read("/.well-known/openid-configuration"))
        .unwrap();
    let url = |name: &str| metadata[name].as_str().unwrap().to_owned();
    let store = OwnStore::start(StoreKind::Redis).unwrap();
    let program = Program {
        file: env!("CARGO_BIN_EXE_app_server").into(),
        arguments: Vec::new(),
    };
    let urls = vec![store.url("operation_timeout=10s&connect_timeout=10s"); SERVERS];
    let fleet = Fleet::start_refreshing(program, &urls, RefreshSettings::default()).unwrap();
    let session = fleet.sign_in(0, User::new(fleet.account())).unwrap();
    let stage = Stage {
        fleet,
        session,
        storm: Storm {
            token_url: url("token_endpoint"),
            revocation_url: url("revocation_endpoint"),
            callers: CALLERS,
            polls: None,
            expiries: 1,
        },
    };
    stage.keep(&runtime.block_on(provider.sign_in("ada")).unwrap());
    for round in 1..=ROUNDS {
        let got = stage.all();
        let counts = runtime.block_on(provider.counts()).unwrap();
        assert_eq!((counts.refreshes, counts.reuses), (round, 0));
        stage.keep(&serde_json::json!({
            "access_token": got.access_token().unwrap(), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": got.refresh_token().unwrap(),
        }));
    }
}

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use token_cache_integration_tests::{
    browser::{Browser, Window},
    servers::{AppAddresses, DemoServers, OwnStore, SignsInAt, StoreKind},
};

use crate::browser::{
    common::{SERVERS, is_signed_in},
    front_channel::sign_in,
    page::{DARK, PHONE, WIDE, picture},
};

const PATIENCE: Duration = Duration::from_secs(20);
const NONE: [bool; SERVERS] = [false; SERVERS];

/// A scenario that newcomers try: a server that receives no invalidation messages.
#[test]
fn a_sign_out_waits_for_the_server_whose_backplane_was_disconnected_and_the_page_says_so() {
    let stage = Stage::of(StoreKind::Redis);
    let ada = stage.browser.window("ada");
    stage.sign_in(ada);
    for server in 0..SERVERS {
        stage.served_from_the_near_cache(ada, server);
    }
    ada.see("reads served").unwrap();
    picture(ada, "copies", WIDE);

    ada.press("Cut the backplane of C").unwrap();
    ada.see("Backplane cut, no lease").unwrap();
    picture(ada, "link-cut", WIDE);
    ada.press("Sign out on A").unwrap();
    ada.see("for C, out of reach").unwrap();
    assert_eq!(is_signed_in(&stage.app, ada), NONE);
    ada.see("Mend the backplane of C").unwrap();
    picture(ada, "signed-out-of-reach", WIDE);
    picture(ada, "signed-out-of-reach-dark", DARK);
    picture(ada, "signed-out-of-reach-phone", PHONE);

    ada.press("Mend the backplane of C").unwrap();
    ada.see("Its backplane is mended").unwrap();
    ada.see("Cut the backplane of C").unwrap();
    assert_eq!(is_signed_in(&stage.app, ada), NONE);
}

/// Without a backplane there is no connection to disconnect, and near-cache entries expire by age before the sign-out returns.
#[test]
fn without_a_backplane_a_sign_out_waits_until_cached_entries_have_died_of_age() {
    let stage = Stage::of(StoreKind::DynamoDb);
    let ada = stage.browser.window("ada");
    stage.sign_in(ada);
    stage.served_from_the_near_cache(ada, 2);
    ada.see("each dies after 0.5 s").unwrap();
    ada.press("Sign out on A").unwrap();
    ada.see("No near-cache entry was left after").unwrap();
    assert_eq!(is_signed_in(&stage.app, ada), NONE);
}

struct Stage {
    browser: Browser,
    app: DemoServers,
    _store: OwnStore,
}

impl Stage {
    fn of(kind: StoreKind) -> Self {
        let browser = Browser::start().unwrap();
        let store = OwnStore::start(kind).unwrap();
        let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
        let app = DemoServers::start(addresses, SignsInAt::ItsOwn("both"), &store.url("")).unwrap();
        Self {
            browser,
            app,
            _store: store,
        }
    }

    fn sign_in(&self, window: Window<'_>) {
        sign_in(&self.app, window, "Ada");
        window.go(&self.app.of(0)).unwrap();
    }

    /// Calls the API until the server answers from its near cache.
    fn served_from_the_near_cache(&self, window: Window<'_>, server: usize) {
        let since = Instant::now();
        loop {
            let told = window
                .ask(&format!("{}/api/me", self.app.of(server)))
                .unwrap();
            let me: Value = serde_json::from_str(&told.body).unwrap();
            if me["tokens"]["from"] == "near_cache" {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "server {server}: {me}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

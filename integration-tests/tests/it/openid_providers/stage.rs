use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use token_cache_integration_tests::{
    browser::{Browser, Window},
    servers::{
        AppAddresses, DemoServers, LogoutChannel, OwnStore, RunningProvider, SignsInAt, StoreKind,
    },
};

use crate::openid_providers::table::Row;

pub(crate) const SERVERS: usize = 2;
const LIMIT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);

/// A provider, two app servers that share a store, and browsers.
pub(crate) struct Stage {
    browser: Browser,
    app: DemoServers,
    pub(crate) provider: RunningProvider,
    _store: OwnStore,
}

impl Stage {
    pub(crate) fn of(row: &Row, channel: LogoutChannel) -> Self {
        let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
        let provider = row.provider.start(&addresses, channel).unwrap();
        let store = OwnStore::start(StoreKind::Redis).unwrap();
        let at = SignsInAt::Client(provider.issuer(), provider.secret());
        let app = DemoServers::start_with(addresses, at, &store.url(""), row.settings).unwrap();
        Self {
            browser: Browser::start().unwrap(),
            app,
            provider,
            _store: store,
        }
    }

    pub(crate) fn window<'a>(&'a self, name: &'a str) -> Window<'a> {
        self.browser.window(name)
    }

    pub(crate) fn at(&self, server: usize, path: &str) -> String {
        format!("{}{path}", self.app.of(server))
    }

    /// Signs the user in at the provider, in a browser without cookies.
    pub(crate) fn sign_in(&self, window: Window<'_>, server: usize) {
        window.forget().unwrap();
        let shown = window.go(&self.at(server, "/login")).unwrap();
        // The provider's pages may have a port of their own, but the app is at another host.
        let host = |url: &str| url::Url::parse(url).unwrap().host_str().map(str::to_owned);
        assert_eq!(host(&shown.url), host(self.provider.issuer()), "{shown:?}");
        self.provider.sign_in(window).unwrap();
        window.arrive(&self.at(server, "/")).unwrap();
        assert_eq!(self.is_signed_in(window), [true; SERVERS]);
    }

    /// Returns a server's view of this browser's user, or `None` if the user is not signed in.
    pub(crate) fn me(&self, window: Window<'_>, server: usize) -> Option<Value> {
        let told = window.ask(&self.at(server, "/api/me")).unwrap();
        match told.status {
            200 => Some(serde_json::from_str(&told.body).unwrap()),
            401 => None,
            other => panic!("server {server} answers {other}: {}", told.body),
        }
    }

    /// Returns for each server whether it calls the API for this browser's user.
    pub(crate) fn is_signed_in(&self, window: Window<'_>) -> [bool; SERVERS] {
        std::array::from_fn(|server| self.me(window, server).is_some())
    }

    /// Waits until no server has a session for this browser.
    pub(crate) fn wait_until_signed_out(&self, window: Window<'_>) {
        until("the browser is signed out on every server", || {
            (self.is_signed_in(window) == [false; SERVERS]).then_some(())
        });
    }
}

/// Polls a condition until it returns a value.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(since.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        thread::sleep(POLL);
    }
}

use serde_json::Value;
use token_cache_integration_tests::{
    browser::{Browser, Window},
    servers::{AppAddresses, DemoServers, OidcProvider, OwnStore, SignsInAt, StoreKind},
};

pub(crate) const SERVERS: usize = 3;

/// Writes each test once, for both kinds of store.
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[test] fn $test() { super::$test(token_cache_integration_tests::servers::StoreKind::Redis); })+
        }
        mod dynamodb {
            $(#[test] fn $test() { super::$test(token_cache_integration_tests::servers::StoreKind::DynamoDb); })+
        }
    };
}
pub(crate) use on_every_store;

/// A provider, app servers that share a store, and browsers.
pub(crate) struct Stage {
    pub(crate) browser: Browser,
    pub(crate) app: DemoServers,
    pub(crate) provider: OidcProvider,
    _store: OwnStore,
}

impl Stage {
    pub(crate) fn of(kind: StoreKind) -> Self {
        let browser = Browser::start().unwrap();
        let store = OwnStore::start(kind).unwrap();
        let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
        let provider = OidcProvider::start_for(&addresses.registration()).unwrap();
        let issuer = provider.issuer();
        let app =
            DemoServers::start(addresses, SignsInAt::Issuer(&issuer), &store.url("")).unwrap();
        Self {
            browser,
            app,
            provider,
            _store: store,
        }
    }

    /// Signs in on a server, with all steps at the provider.
    pub(crate) fn sign_in(&self, window: Window<'_>, server: usize) {
        let shown = window.go(&self.at(server, "/login")).unwrap();
        assert!(shown.url.starts_with(&self.provider.issuer()), "{shown:?}");
        window.fill("input[name=login]", "ada").unwrap();
        window.fill("input[name=password]", "any").unwrap();
        window.press("Sign-in").unwrap();
        window.press("Continue").unwrap();
        window.arrive(&self.app.of(server)).unwrap();
        assert_eq!(self.is_signed_in(window), [true; SERVERS]);
    }

    /// Signs out at the provider itself. Returns once the provider confirms it.
    pub(crate) fn sign_out_at_the_provider(&self, window: Window<'_>) {
        let shown = window
            .go(&format!("{}/session/end", self.provider.issuer()))
            .unwrap();
        assert_eq!(shown.status, 200);
        window.press("Yes, sign me out").unwrap();
        window
            .arrive(&format!("{}/session/end/success", self.provider.issuer()))
            .unwrap();
    }

    pub(crate) fn at(&self, server: usize, path: &str) -> String {
        format!("{}{path}", self.app.of(server))
    }

    /// Returns for each server whether it calls the API for the user of this browser.
    pub(crate) fn is_signed_in(&self, window: Window<'_>) -> [bool; SERVERS] {
        is_signed_in(&self.app, window)
    }
}

pub(crate) fn is_signed_in(app: &DemoServers, window: Window<'_>) -> [bool; SERVERS] {
    std::array::from_fn(|server| {
        let told = window.ask(&format!("{}/api/me", app.of(server))).unwrap();
        match told.status {
            200 => {
                let me: Value = serde_json::from_str(&told.body).unwrap();
                assert!(
                    me["account"].is_object() || me["account"].is_string(),
                    "{me}"
                );
                true
            }
            401 => false,
            other => panic!("server {server} answers {other}: {}", told.body),
        }
    })
}

//! The tutorial's own app through every step of the section "See it" of `docs/sign-out/tutorial.md`.

use std::{
    thread,
    time::{Duration, Instant},
};

use token_cache_integration_tests::{
    browser::{Browser, Window},
    servers::{
        AppAddresses, LogoutCounts, OidcProvider, OidcProviderSettings, OwnStore, StoreKind,
        TutorialServers,
    },
};
use tokio::runtime::Runtime;

const SERVERS: usize = 2;
const ALL: [bool; SERVERS] = [true; SERVERS];
const NONE: [bool; SERVERS] = [false; SERVERS];

/// A test need not wait long until its tokens are due.
const ACCESS_TOKEN_SECONDS: u16 = 4;
const PATIENCE: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);

#[test]
fn every_step_at_a_provider_that_names_user_and_session() {
    every_step(true);
}

/// The app must store the `sid` of the ID token: the message contains no other hint of the user.
#[test]
fn every_step_at_a_provider_that_names_the_session_alone() {
    every_step(false);
}

fn every_step(logout_tokens_have_sub: bool) {
    let stage = Stage::start(logout_tokens_have_sub);
    let (laptop, phone) = (
        stage.browser.window("laptop"),
        stage.browser.window("phone"),
    );

    // 1. A browser that signs in on one server is signed in on both, also after its access token has expired.
    stage.sign_in(laptop, 0);
    authenticate(laptop);
    stage.consent(laptop, 0);
    stage.wait_for_rotations(laptop);

    // 2. The button ends the account on both browsers and both servers, before the provider is called.
    stage.sign_in(phone, 0);
    authenticate(phone);
    stage.consent(phone, 0);
    laptop.go(&stage.at(1, "/")).unwrap();
    laptop.press("Sign out").unwrap();
    laptop.arrive(&stage.issuer).unwrap();
    assert_eq!(stage.is_signed_in(laptop), NONE);
    assert_eq!(stage.is_signed_in(phone), NONE);
    laptop.press("Yes, sign me out").unwrap();
    laptop.arrive(&stage.app.of(1)).unwrap();
    laptop.see("Sign in").unwrap();
    assert_eq!(stage.logouts_taken(), 1);
    // The other browser still has its cookie. When its user opens the page, the server removes the cookie and starts a sign-in.
    let shown = phone.go(&stage.at(0, "/account")).unwrap();
    assert!(shown.url.starts_with(&stage.issuer), "{shown:?}");

    // 3. A sign-out at the provider ends that browser's session, and not the other's.
    stage.sign_in(laptop, 0);
    authenticate(laptop);
    stage.consent(laptop, 0);
    stage.sign_in(phone, 1);
    // The provider still has a session of this browser.
    stage.consent(phone, 1);
    let end = format!("{}/session/end", stage.issuer);
    laptop.go(&end).unwrap();
    laptop.press("Yes, sign me out").unwrap();
    laptop.arrive(&format!("{end}/success")).unwrap();
    assert_eq!(stage.is_signed_in(laptop), NONE);
    assert_eq!(stage.is_signed_in(phone), ALL);

    let expected = LogoutCounts {
        logouts_taken: 2,
        logouts_refused: 0,
        logouts_with_sub: if logout_tokens_have_sub { 2 } else { 0 },
    };
    let logouts = stage.runtime.block_on(stage.provider.logouts()).unwrap();
    assert_eq!(logouts, expected);
    let counts = stage.runtime.block_on(stage.provider.counts()).unwrap();
    assert_eq!(counts.reuses, 0, "{counts:?}");
}

/// The user was at the provider's page while the account was signed out.
#[test]
fn a_sign_in_that_a_sign_out_overtook_is_refused_and_its_tokens_are_revoked() {
    let stage = Stage::start(true);
    let (laptop, phone) = (
        stage.browser.window("laptop"),
        stage.browser.window("phone"),
    );
    stage.sign_in(laptop, 0);
    authenticate(laptop);
    stage.consent(laptop, 0);
    stage.sign_in(phone, 0);
    authenticate(phone);
    laptop.go(&stage.at(1, "/")).unwrap();
    laptop.press("Sign out").unwrap();
    laptop.arrive(&stage.issuer).unwrap();

    phone.press("Continue").unwrap();
    phone.see("You are not signed in").unwrap();
    assert_eq!(stage.is_signed_in(phone), NONE);
    let counts = stage.runtime.block_on(stage.provider.counts()).unwrap();
    assert_eq!(counts.revocations, 1, "{counts:?}");
    // The page leads to a sign-in that is accepted.
    phone.press("Sign in again").unwrap();
    phone.arrive(&stage.issuer).unwrap();
    authenticate(phone);
    stage.consent(phone, 0);
}

/// The provider, the two servers on one store, and the browsers.
struct Stage {
    runtime: Runtime,
    browser: Browser,
    app: TutorialServers,
    issuer: String,
    provider: OidcProvider,
    _store: OwnStore,
}

impl Stage {
    fn start(logout_tokens_have_sub: bool) -> Self {
        let store = OwnStore::start(StoreKind::Redis).unwrap();
        let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
        let settings = OidcProviderSettings {
            // The provider's defaults for a client whose registration does not say, as in the tutorial (OpenID Connect Dynamic Client
            // Registration 1.0, section 2).
            algorithm: "RS256",
            access_token_seconds: ACCESS_TOKEN_SECONDS,
            logout_tokens_have_sub,
        };
        let provider = OidcProvider::start_with(&addresses.registration(), settings).unwrap();
        let issuer = provider.issuer();
        let app = TutorialServers::start(addresses, &issuer, &store.url("")).unwrap();
        Self {
            runtime: Runtime::new().unwrap(),
            browser: Browser::start().unwrap(),
            app,
            issuer,
            provider,
            _store: store,
        }
    }

    fn at(&self, server: usize, path: &str) -> String {
        format!("{}{path}", self.app.of(server))
    }

    /// Follows the link of a server's first page to the provider.
    fn sign_in(&self, window: Window<'_>, server: usize) {
        window.go(&self.at(server, "/")).unwrap();
        window.press("Sign in").unwrap();
        window.arrive(&self.issuer).unwrap();
    }

    /// Consents at the provider, and returns signed in.
    fn consent(&self, window: Window<'_>, server: usize) {
        window.press("Continue").unwrap();
        let account = self.at(server, "/account");
        window.arrive(&account).unwrap();
        window.see("signed in, with a token for").unwrap();
        assert_eq!(self.is_signed_in(window), ALL);
    }

    /// Returns for each server whether `/account` answers with a token for this browser's user.
    fn is_signed_in(&self, window: Window<'_>) -> [bool; SERVERS] {
        std::array::from_fn(|server| {
            let told = window.ask(&self.at(server, "/account")).unwrap();
            match told.status {
                200 => true,
                401 => false,
                other => panic!("server {server} answers {other}: {}", told.body),
            }
        })
    }

    /// Requests the account from both servers until the tokens were renewed twice, with a new refresh token each time.
    fn wait_for_rotations(&self, window: Window<'_>) {
        let since = Instant::now();
        loop {
            assert_eq!(self.is_signed_in(window), ALL);
            let counts = self.runtime.block_on(self.provider.counts()).unwrap();
            if counts.rotations >= 2 {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{counts:?}");
            thread::sleep(POLL);
        }
    }

    /// Returns how many logout messages the app has accepted.
    fn logouts_taken(&self) -> u64 {
        let logouts = self.runtime.block_on(self.provider.logouts()).unwrap();
        logouts.logouts_taken
    }
}

/// Enters the user's name at a provider that does not recognise the browser.
fn authenticate(window: Window<'_>) {
    window.fill("input[name=login]", "ada").unwrap();
    window.fill("input[name=password]", "any").unwrap();
    window.press("Sign-in").unwrap();
}

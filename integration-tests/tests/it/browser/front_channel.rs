use std::{
    thread,
    time::{Duration, Instant},
};

use token_cache_integration_tests::{
    browser::{Browser, Sent, Window},
    servers::{AppAddresses, DemoServers, OwnStore, SignsInAt, StoreKind},
};

use crate::browser::common::{SERVERS, is_signed_in, on_every_store};

const PATIENCE: Duration = Duration::from_secs(20);

on_every_store!(an_iframe_without_cookies_ends_it_on_every_server);

/// The certified provider has no front channel, but the demo's own has.
fn an_iframe_without_cookies_ends_it_on_every_server(kind: StoreKind) {
    let browser = Browser::start().unwrap();
    let store = OwnStore::start(kind).unwrap();
    let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
    let app = DemoServers::start(addresses, SignsInAt::ItsOwn("front"), &store.url("")).unwrap();
    let (ada, bob) = (browser.window("ada"), browser.window("bob"));
    let provider = sign_in(&app, ada, "Ada");
    sign_in(&app, bob, "Bob");

    ada.go(&provider).unwrap();
    ada.press("Sign out").unwrap();
    ada.see("signed out").unwrap();
    let frames = answered(ada, "/frontchannel-logout");
    let [frame] = frames.as_slice() else {
        panic!("expected one frame: {frames:?}");
    };
    assert_eq!((frame.status, frame.had_cookies), (200, false), "{frame:?}");
    assert!(ada.sent("/backchannel-logout").unwrap().is_empty());
    assert_eq!(is_signed_in(&app, ada), [false; SERVERS]);
    assert_eq!(is_signed_in(&app, bob), [true; SERVERS]);
}

/// Returns the requests to this path, once there is one and it is answered.
fn answered(window: Window<'_>, path: &str) -> Vec<Sent> {
    let since = Instant::now();
    loop {
        let sent = window.sent(path).unwrap();
        if !sent.is_empty() {
            return sent;
        }
        assert!(since.elapsed() < PATIENCE, "no request was sent to {path}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Signs in at the demo's own provider, and returns the provider's address.
pub(crate) fn sign_in(app: &DemoServers, window: Window<'_>, name: &str) -> String {
    let shown = window.go(&format!("{}/login", app.of(0))).unwrap();
    let provider = url::Url::parse(&shown.url).unwrap().origin();
    window.fill("input[name=name]", name).unwrap();
    window.press("Sign in").unwrap();
    window.arrive(&app.of(0)).unwrap();
    assert_eq!(is_signed_in(app, window), [true; SERVERS]);
    format!("{}/", provider.ascii_serialization())
}

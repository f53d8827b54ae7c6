use token_cache_integration_tests::{
    browser::{Browser, Screen, Window, pictures},
    servers::{AppAddresses, DemoServers, OwnStore, SignsInAt, StoreKind},
};

use crate::browser::{
    common::{SERVERS, is_signed_in},
    front_channel::sign_in,
};

pub(crate) const WIDE: Screen = Screen {
    width: 1280,
    height: 900,
    dark: false,
};
pub(crate) const DARK: Screen = Screen { dark: true, ..WIDE };
pub(crate) const PHONE: Screen = Screen {
    width: 390,
    height: 844,
    dark: false,
};

/// Starts the servers, with a provider of their own.
fn app_for(store: &OwnStore) -> DemoServers {
    let addresses = AppAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
    DemoServers::start(addresses, SignsInAt::ItsOwn("both"), &store.url("")).unwrap()
}

#[test]
fn by_the_keyboard_alone_a_user_signs_in_and_out() {
    let browser = Browser::start().unwrap();
    let store = OwnStore::start(StoreKind::Redis).unwrap();
    let app = app_for(&store);
    let ada = browser.window("ada");
    ada.go(&app.of(0)).unwrap();
    ada.see("No user is signed in").unwrap();
    ada.tab_to("a.sign-in", "Sign in on A").unwrap();
    ada.enter().unwrap();
    ada.see("Sign in").unwrap();
    ada.tab_to("input[name=name]", "").unwrap();
    ada.type_text("Ada").unwrap();
    ada.enter().unwrap();
    ada.arrive(&app.of(0)).unwrap();
    ada.see("Ada").unwrap();
    assert_eq!(is_signed_in(&app, ada), [true; SERVERS]);
    ada.tab_to("button.sign-out", "Sign out on B").unwrap();
    ada.enter().unwrap();
    ada.see("Signed out, on every server").unwrap();
    assert_eq!(is_signed_in(&app, ada), [false; SERVERS]);
}

#[test]
fn on_a_phone_nothing_hangs_over_the_edge() {
    let browser = Browser::start().unwrap();
    let store = OwnStore::start(StoreKind::Redis).unwrap();
    let app = app_for(&store);
    let ada = browser.window("ada");
    ada.go(&app.of(0)).unwrap();
    ada.see("No user is signed in").unwrap();
    assert!(
        ada.overhang(PHONE).unwrap() <= 0,
        "the page of an anonymous user"
    );
    let provider = sign_in(&app, ada, "Ada");
    ada.go(&app.of(0)).unwrap();
    ada.press("Call the API through B").unwrap();
    ada.see("The API is called for Ada").unwrap();
    assert!(ada.overhang(PHONE).unwrap() <= 0, "Ada is signed in");
    ada.go(&provider).unwrap();
    assert!(ada.overhang(PHONE).unwrap() <= 0, "at the provider");
}

/// Runs through the demo as a new user does, and takes the screenshots for the documents.
#[test]
fn the_page_shows_a_sign_out_beside_a_plain_cache() {
    let browser = Browser::start().unwrap();
    let store = OwnStore::start(StoreKind::Redis).unwrap();
    let app = app_for(&store);
    let ada = browser.window("ada");
    ada.go(&app.of(0)).unwrap();
    ada.see("No user is signed in").unwrap();
    picture(ada, "nobody", WIDE);

    sign_in(&app, ada, "Ada");
    ada.go(&app.of(0)).unwrap();
    ada.press("Call the API through B").unwrap();
    ada.see("Ada").unwrap();
    picture(ada, "signed-in", WIDE);
    picture(ada, "signed-in-dark", DARK);
    picture(ada, "signed-in-phone", PHONE);

    ada.press("Slow refresh on C, then sign out on A").unwrap();
    ada.see("token-cache refuses the late answer").unwrap();
    ada.see("The plain cache stores the late answer").unwrap();
    assert_eq!(is_signed_in(&app, ada), [false; SERVERS]);
    picture(ada, "slow-refresh", WIDE);
}

pub(crate) fn picture(window: Window<'_>, name: &str, screen: Screen) {
    let path = pictures().unwrap().join(format!("{name}.png"));
    window.look(&path, screen).unwrap();
    assert!(
        path.metadata().unwrap().len() > 10_000,
        "{}",
        path.display()
    );
}

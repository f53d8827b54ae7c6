use token_cache_integration_tests::{
    browser::{Browser, Screen, Window, pictures},
    servers::{DemoAddresses, DemoServers, OwnStore, SignsInAt, StoreKind},
};

use crate::{
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

/// What a newcomer does, and the pictures of it that the documents show.
#[test]
fn the_page_shows_a_sign_out_beside_a_plain_cache() {
    let browser = Browser::start().unwrap();
    let store = OwnStore::start(StoreKind::Redis).unwrap();
    let addresses = DemoAddresses::reserve(u16::try_from(SERVERS).unwrap()).unwrap();
    let app = DemoServers::start(addresses, SignsInAt::ItsOwn("both"), &store.url("")).unwrap();
    let ada = browser.window("ada");
    ada.go(&app.of(0)).unwrap();
    ada.see("Nobody is signed in").unwrap();
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

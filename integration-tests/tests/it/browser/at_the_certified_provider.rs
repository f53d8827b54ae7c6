use token_cache_integration_tests::servers::StoreKind;

use crate::browser::common::{SERVERS, Stage, on_every_store};

on_every_store!(
    a_sign_out_at_the_provider_ends_it_on_every_server,
    a_sign_out_on_one_server_ends_it_on_every_other_and_at_the_provider,
    of_two_browsers_only_the_one_that_signed_out_is_signed_out,
    a_user_who_signed_out_signs_in_again,
);

const ALL: [bool; SERVERS] = [true; SERVERS];
const NONE: [bool; SERVERS] = [false; SERVERS];

fn a_sign_out_at_the_provider_ends_it_on_every_server(kind: StoreKind) {
    let stage = Stage::of(kind);
    let ada = stage.browser.window("ada");
    stage.sign_in(ada, 0);
    stage.sign_out_at_the_provider(ada);
    // The provider has sent its message to one server, and confirms the sign-out once that has answered.
    assert_eq!(stage.is_signed_in(ada), NONE);
    assert_eq!(logouts(&stage), (1, 0));
}

fn a_sign_out_on_one_server_ends_it_on_every_other_and_at_the_provider(kind: StoreKind) {
    let stage = Stage::of(kind);
    let ada = stage.browser.window("ada");
    stage.sign_in(ada, 0);
    ada.go(&stage.at(1, "/logout")).unwrap();
    // The session has ended here before the provider requests a confirmation.
    assert_eq!(stage.is_signed_in(ada), NONE);
    ada.press("Yes, sign me out").unwrap();
    // The alternative is the page that says that the return was not confirmed.
    ada.see("Sign out once. Gone everywhere.").unwrap();
    ada.arrive(&stage.at(1, "/")).unwrap();
    assert_eq!(stage.is_signed_in(ada), NONE);
    // The provider sent its own message before it redirected the browser.
    assert_eq!(logouts(&stage), (1, 0));
    // The provider's session has ended as well: it asks for the user's name.
    let shown = ada.go(&stage.at(2, "/login")).unwrap();
    assert!(shown.url.contains("/interaction/"), "{shown:?}");
    ada.fill("input[name=login]", "ada").unwrap();
}

fn of_two_browsers_only_the_one_that_signed_out_is_signed_out(kind: StoreKind) {
    let stage = Stage::of(kind);
    let (laptop, phone) = (
        stage.browser.window("laptop"),
        stage.browser.window("phone"),
    );
    stage.sign_in(laptop, 0);
    stage.sign_in(phone, 1);
    stage.sign_out_at_the_provider(laptop);
    assert_eq!(stage.is_signed_in(laptop), NONE);
    assert_eq!(stage.is_signed_in(phone), ALL);
    stage.sign_out_at_the_provider(phone);
    assert_eq!(stage.is_signed_in(phone), NONE);
    assert_eq!(logouts(&stage), (2, 0));
}

fn a_user_who_signed_out_signs_in_again(kind: StoreKind) {
    let stage = Stage::of(kind);
    let ada = stage.browser.window("ada");
    stage.sign_in(ada, 0);
    stage.sign_out_at_the_provider(ada);
    assert_eq!(stage.is_signed_in(ada), NONE);
    stage.sign_in(ada, 1);
}

/// Returns how many messages the app accepted and refused.
fn logouts(stage: &Stage) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let counts = runtime.block_on(stage.provider.logouts()).unwrap();
    (counts.logouts_taken, counts.logouts_refused)
}

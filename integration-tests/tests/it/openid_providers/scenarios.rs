use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use token_cache_integration_tests::{
    browser::Window,
    servers::{Exchange, LogoutChannel},
};

use crate::openid_providers::{
    recorded,
    stage::{SERVERS, Stage, until},
    table::{Ends, Everywhere, Row},
};

const SIGNED_IN: [bool; SERVERS] = [true; SERVERS];
const SIGNED_OUT: [bool; SERVERS] = [false; SERVERS];

/// The environment variable that makes it a failure if a provider cannot be installed.
const ALL: &str = "TOKEN_CACHE_ALL_PROVIDERS";

/// Runs every scenario at one provider, with this channel for logout messages. Prints the name of a provider that cannot be installed.
pub(crate) fn run(row: &Row, channel: LogoutChannel) {
    // One provider at a time: each test has browsers and servers of its own, too many for one machine.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = row.provider.install() {
        let text = format!("{} {} is not tested: {error}", row.name, row.version);
        assert!(std::env::var_os(ALL).is_none(), "{text}");
        // Unlike the output of `eprintln`, this is not captured. A closed stderr must not fail a test.
        let _ = writeln!(std::io::stderr(), "{text}");
        return;
    }
    let stage = Stage::of(row, channel);
    let (laptop, phone) = (stage.window("laptop"), stage.window("phone"));
    stage.sign_in(laptop, 0);
    stage.sign_in(phone, 1);
    tokens_are_refreshed(&stage, row, laptop);
    the_app_signs_out(&stage, laptop, phone);
    stage.sign_in(laptop, 1);
    stage.sign_in(phone, 0);
    the_provider_signs_out(&stage, row, channel, (laptop, phone));
    recorded::check(&stage, row, channel);
    stage.sign_in(laptop, 0);
    stage.sign_in(phone, 1);
    sign_out_everywhere(&stage, row, channel, (laptop, phone));
}

/// Two refreshes in a row: the second sends the refresh token that the first received.
fn tokens_are_refreshed(stage: &Stage, row: &Row, window: Window<'_>) {
    let [first, second] = until("two refreshes of one session", || {
        stage.me(window, 1).unwrap();
        let refreshes = refreshes(stage);
        let next = |first: &Exchange| {
            let answered: serde_json::Value = first.json().ok()?;
            let successor = answered["refresh_token"].as_str().map(str::to_owned);
            let sent = successor.or_else(|| first.field("refresh_token"));
            refreshes
                .iter()
                .skip_while(|it| it.body != first.body)
                .skip(1)
                .find(|it| it.field("refresh_token") == sent)
                .cloned()
        };
        refreshes
            .iter()
            .find_map(|first| Some([first.clone(), next(first)?]))
    });
    let rotates = first.field("refresh_token") != second.field("refresh_token");
    assert_eq!(
        rotates, row.rotates,
        "{}: the refresh token rotates",
        row.name
    );
}

/// Returns the refreshes that the provider has answered with tokens.
pub(crate) fn refreshes(stage: &Stage) -> Vec<Exchange> {
    let mut asked = stage.provider.asked("token");
    asked.retain(|it| {
        it.status == 200 && it.field("grant_type").as_deref() == Some("refresh_token")
    });
    asked
}

/// The app signs its user out and redirects the browser to the provider, which redirects it back.
fn the_app_signs_out(stage: &Stage, window: Window<'_>, other: Window<'_>) {
    window.go(&stage.at(1, "/logout")).unwrap();
    assert_eq!(stage.is_signed_in(window), SIGNED_OUT);
    stage.provider.confirm_sign_out(window).unwrap();
    window.arrive(&stage.at(1, "/")).unwrap();
    assert_eq!(stage.is_signed_in(window), SIGNED_OUT);
    // The app's own sign-out ends the account.
    assert_eq!(stage.is_signed_in(other), SIGNED_OUT);
}

/// The user signs out at the provider itself, in one of two browsers.
fn the_provider_signs_out(
    stage: &Stage,
    row: &Row,
    channel: LogoutChannel,
    (laptop, phone): (Window<'_>, Window<'_>),
) {
    let before = stage.provider.messages(channel).len();
    stage.provider.sign_out(laptop).unwrap();
    until("a logout message", || {
        (stage.provider.messages(channel).len() > before).then_some(())
    });
    match row.sign_out {
        Ends::ItsOwn => {
            stage.wait_until_signed_out(laptop);
            assert_eq!(stage.is_signed_in(phone), SIGNED_IN);
        }
        Ends::Both(_) => {
            stage.wait_until_signed_out(laptop);
            stage.wait_until_signed_out(phone);
        }
        Ends::ItsOwnAndTheOtherGrant(reason) => {
            stage.wait_until_signed_out(laptop);
            stage.wait_until_signed_out(phone);
            let refused = stage.provider.asked("token").into_iter().any(|it| {
                it.status == 400 && it.field("grant_type").as_deref() == Some("refresh_token")
            });
            assert!(refused, "{}: no longer so: {reason}", row.name);
        }
    }
}

fn sign_out_everywhere(
    stage: &Stage,
    row: &Row,
    channel: LogoutChannel,
    (laptop, phone): (Window<'_>, Window<'_>),
) {
    let before = stage.provider.messages(channel).len();
    let done = stage.provider.sign_out_everywhere(laptop);
    let everywhere = match channel {
        LogoutChannel::Back => row.everywhere_by_back_channel,
        LogoutChannel::Front => row.everywhere_by_front_channel,
    };
    let expected = match everywhere {
        Everywhere::Missing(reason) => {
            assert!(done.is_err(), "{}: {reason}", row.name);
            return;
        }
        Everywhere::All { messages } => {
            done.unwrap();
            messages
        }
        Everywhere::OnceTokensAreRevoked => {
            done.unwrap();
            sessions_live_on(stage, (laptop, phone));
            stage.provider.revoke_tokens().unwrap();
            0
        }
        Everywhere::RefusedWithoutCode => {
            done.unwrap();
            sessions_live_on(stage, (laptop, phone));
            stage.provider.revoke_tokens().unwrap();
            let is_refused = |window: Window<'_>| {
                let told = window.ask(&stage.at(0, "/api/me")).unwrap();
                told.status == 503 && told.body.contains("provider_refused")
            };
            until("refused refreshes", || {
                (is_refused(laptop) && is_refused(phone)).then_some(())
            });
            assert_eq!(stage.provider.messages(channel).len(), before);
            return;
        }
    };
    stage.wait_until_signed_out(laptop);
    stage.wait_until_signed_out(phone);
    let messages = || stage.provider.messages(channel).len() - before;
    // Two of them ended those sessions. Others may be in flight.
    until("the logout messages", || {
        (messages() >= expected).then_some(())
    });
    assert_eq!(messages(), expected, "{}: logout messages", row.name);
}

/// The provider still refreshes the tokens of both sessions.
fn sessions_live_on(stage: &Stage, (laptop, phone): (Window<'_>, Window<'_>)) {
    let before = refreshes(stage).len();
    until("a refresh of each session", || {
        assert_eq!(stage.is_signed_in(laptop), SIGNED_IN);
        assert_eq!(stage.is_signed_in(phone), SIGNED_IN);
        // Access tokens with equal lifetimes become due in turns, so at latest the third refresh is the other session's.
        (refreshes(stage).len() >= before + 3).then_some(())
    });
}

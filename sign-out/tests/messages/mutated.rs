//! Randomly changed tokens and bodies never cause a 5xx response, a panic or a sign-out.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;
use token_cache_core::Ticket;
use tokio::runtime::Runtime;

use crate::{
    rig::{Answer, As, Rig, post_form},
    shared_signals::{SESSION_REVOKED, claims, push, signed},
};

struct Target {
    runtime: Runtime,
    rig: Rig,
    ticket: Ticket,
    form: Vec<u8>,
    /// A valid security event, as it is pushed.
    event: Vec<u8>,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let (rig, ticket) = runtime.block_on(async {
        let rig = Rig::new().await;
        let how = As {
            sid: Some("s1"),
            ..As::default()
        };
        let ticket = rig.sign_in("ada", how).await;
        (rig, ticket)
    });
    let form = format!("logout_token={}", rig.token(Some("ada"), Some("s1"))).into_bytes();
    let subject = json!({"format": "opaque", "id": "s1"});
    let event = signed(&rig, &claims(&rig, SESSION_REVOKED, subject)).into_bytes();
    Target {
        runtime,
        rig,
        ticket,
        form,
        event,
    }
});

#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Append(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        index().prop_map(Change::Remove),
        index().prop_map(Change::Truncate),
        (index(), index()).prop_map(|(a, b)| Change::Swap(a, b)),
        prop::collection::vec(any::<u8>(), 1..40).prop_map(Change::Append),
    ]
}

fn apply(form: &mut Vec<u8>, change: &Change) {
    if form.is_empty() {
        return;
    }
    match change {
        Change::Set(at, byte) => {
            let at = at.index(form.len());
            form[at] = *byte;
        }
        Change::Insert(at, byte) => form.insert(at.index(form.len()), *byte),
        Change::Remove(at) => {
            form.remove(at.index(form.len()));
        }
        Change::Truncate(at) => form.truncate(at.index(form.len())),
        Change::Swap(a, b) => {
            let (a, b) = (a.index(form.len()), b.index(form.len()));
            form.swap(a, b);
        }
        Change::Append(more) => form.extend_from_slice(more),
    }
}

/// Returns the token of a form, percent-decoded. A change that keeps the token does not count.
fn token_of(form: &[u8]) -> Option<String> {
    url::form_urlencoded::parse(form)
        .find(|(name, _)| name == "logout_token")
        .map(|(_, token)| token.into_owned())
}

fn is_refused(form: Vec<u8>) -> Result<(), TestCaseError> {
    let Target {
        runtime,
        rig,
        ticket,
        ..
    } = &*TARGET;
    let answer = Answer::of(runtime.block_on(rig.routes.back_channel_logout(post_form(form))));
    prop_assert!(answer.status.is_client_error(), "{answer:?}");
    prop_assert!(runtime.block_on(rig.is_signed_in(ticket)));
    Ok(())
}

fn event_is_refused(body: Vec<u8>) -> Result<(), TestCaseError> {
    let Target {
        runtime,
        rig,
        ticket,
        ..
    } = &*TARGET;
    let answer = Answer::of(runtime.block_on(rig.routes.security_event(push(body))));
    prop_assert!(answer.status.is_client_error(), "{answer:?}");
    prop_assert!(runtime.block_on(rig.is_signed_in(ticket)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_token_is_refused(changes in prop::collection::vec(change(), 1..4)) {
        let mut form = TARGET.form.clone();
        for change in &changes {
            apply(&mut form, change);
        }
        prop_assume!(token_of(&form) != token_of(&TARGET.form));
        is_refused(form)?;
    }

    #[test]
    fn a_changed_event_is_refused(changes in prop::collection::vec(change(), 1..4)) {
        let mut body = TARGET.event.clone();
        for change in &changes {
            apply(&mut body, change);
        }
        prop_assume!(body != TARGET.event);
        event_is_refused(body)?;
    }

    #[test]
    fn bytes_that_nobody_wrote_are_refused(form in prop::collection::vec(any::<u8>(), 0..300)) {
        is_refused(form)?;
    }

    #[test]
    fn claims_that_nobody_signed_are_refused(header in ".{0,60}", claims in "[{\":,a-z0-9}\\[\\]]{0,80}") {
        let token = format!("{}.{}.AAAA", crate::signer::encoded(header), crate::signer::encoded(claims));
        is_refused(format!("logout_token={token}").into_bytes())?;
        event_is_refused(token.into_bytes())?;
    }

    /// Tokens signed with the right key and with claims of any type. They end sessions only if all claims are valid.
    #[test]
    fn signed_claims_of_any_type_are_taken_or_refused_and_never_fail(
        name in prop::sample::select(vec!["iss", "aud", "iat", "exp", "jti", "events", "sub", "sid", "nbf", "nonce"]),
        value in prop::sample::select(vec!["null", "true", "-1", "0", "1e308", "1.5", "\"\"", "\"x\"", "[]", "[[]]", "{}", "[\"shop\"]", "{\"a\":{}}", "18446744073709551615"]),
    ) {
        let Target { runtime, rig, .. } = &*TARGET;
        let mut claims = rig.claims();
        claims["sub"] = "grace".into();
        claims[name] = serde_json::from_str(value).unwrap();
        let answer = runtime.block_on(rig.send(&rig.signed(&claims)));
        prop_assert!(!answer.status.is_server_error(), "{answer:?}");
    }

    #[test]
    fn signed_claims_of_events_of_any_type_are_taken_or_refused_and_never_fail(
        name in prop::sample::select(vec!["iss", "aud", "iat", "jti", "events", "sub_id", "format", "id", "exp", "nbf"]),
        value in prop::sample::select(vec!["null", "true", "-1", "0", "1e308", "1.5", "\"\"", "\"x\"", "[]", "[[]]", "{}", "[\"shop\"]", "{\"a\":{}}", "18446744073709551615"]),
    ) {
        let Target { runtime, rig, .. } = &*TARGET;
        let mut claims = claims(rig, SESSION_REVOKED, json!({"format": "opaque", "id": "somebody's"}));
        let value = serde_json::from_str(value).unwrap();
        match name {
            "format" | "id" => claims["sub_id"][name] = value,
            _ => claims[name] = value,
        }
        let answer = runtime.block_on(rig.routes.security_event(push(signed(rig, &claims))));
        prop_assert!(!Answer::of(answer).status.is_server_error());
    }
}

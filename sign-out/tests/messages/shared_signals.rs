//! Security events that a transmitter pushes: the sessions that they end, and the responses (RFC 8417, 8935, 9493).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use token_cache_core::SignOutScopeKind;
use token_cache_core::{ErrorKind, Ticket};
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutCause};
use tokio::sync::mpsc;

use crate::{
    rig::{Answer, As, CLIENT, ISSUER, Rig, post, told},
    signer::{Signer, jwks},
};

pub(crate) const SESSION_REVOKED: &str =
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const ACCOUNT_DISABLED: &str =
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const ACCOUNT_PURGED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
const SESSIONS_REVOKED: &str =
    "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked";

pub(crate) fn push(token: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/security-events")
        .header(header::CONTENT_TYPE, "application/secevent+jwt")
        .header(header::ACCEPT, "application/json")
        .body(Full::new(token.into()))
        .unwrap()
}

/// Returns the claims of a valid token without `exp` and `sub`, as transmitters send it.
pub(crate) fn claims(rig: &Rig, event: &str, subject: impl Into<Value>) -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "iat": rig.seconds(), "jti": "24c63fb5", "sub_id": subject.into(),
        "events": {event: {"event_timestamp": rig.seconds() - 5}},
    })
}

pub(crate) fn signed(rig: &Rig, claims: &Value) -> String {
    let header = json!({"typ": "secevent+jwt", "alg": "ES256", "kid": rig.signer.id});
    rig.signer.sign(&header.to_string(), &claims.to_string())
}

pub(crate) async fn send(rig: &Rig, token: impl Into<Bytes>) -> Answer {
    Answer::of(rig.routes.security_event(push(token)).await)
}

async fn is_acknowledged(rig: &Rig, claims: &Value) {
    let answer = send(rig, signed(rig, claims)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(answer.body.is_empty());
}

/// Returns the tickets of Ada in two browsers and without a `sid`, and of Grace.
async fn signed_in(rig: &Rig) -> [Ticket; 4] {
    let with = |sid| As {
        sid: Some(sid),
        ..As::default()
    };
    [
        rig.sign_in("ada", with("s1")).await,
        rig.sign_in("ada", with("s2")).await,
        rig.sign_in("ada", As::default()).await,
        rig.sign_in("grace", with("s3")).await,
    ]
}

async fn living(rig: &Rig, tickets: &[Ticket]) -> Vec<bool> {
    let mut living = Vec::new();
    for ticket in tickets {
        living.push(rig.is_signed_in(ticket).await);
    }
    living
}

pub(crate) fn ada() -> Value {
    json!({"format": "iss_sub", "iss": ISSUER, "sub": "ada"})
}

fn s1() -> Value {
    json!({"format": "opaque", "id": "s1"})
}

#[tokio::test]
async fn events_and_subjects_end_what_they_name_and_no_more() {
    let nobody = [true; 4];
    let account = [false, false, false, true];
    let one_session = [false, true, true, true];
    let session_of_account = [false, true, false, true];
    let complex = |members: Value| {
        let mut complex = members;
        complex["format"] = "complex".into();
        complex
    };
    #[rustfmt::skip]
    let cases = [
        ("a user's sessions", SESSION_REVOKED, ada(), account),
        ("a session", SESSION_REVOKED, s1(), one_session),
        ("a complex session", SESSION_REVOKED, complex(json!({"session": s1()})), one_session),
        ("a complex user", SESSION_REVOKED, complex(json!({"user": ada()})), account),
        ("a complex user by an opaque id", SESSION_REVOKED, complex(json!({"user": {"format": "opaque", "id": "ada"}})), account),
        ("a session of a user", SESSION_REVOKED, complex(json!({"session": s1(), "user": ada()})), session_of_account),
        ("with tenant and device", SESSION_REVOKED, complex(json!({"user": ada(), "tenant": {"format": "opaque", "id": "t"}, "device": s1()})), account),
        ("before formats had their names", SESSION_REVOKED, json!({"subject_type": "iss-sub", "iss": ISSUER, "sub": "ada"}), account),
        ("before complex had a name", SESSION_REVOKED, json!({"session": s1(), "user": ada()}), session_of_account),
        ("a disabled account", ACCOUNT_DISABLED, ada(), account),
        ("a disabled account by an opaque id", ACCOUNT_DISABLED, json!({"format": "opaque", "id": "ada"}), account),
        ("a disabled account, its session named", ACCOUNT_DISABLED, complex(json!({"session": s1(), "user": ada()})), account),
        ("a purged account", ACCOUNT_PURGED, ada(), account),
        ("revoked sessions", SESSIONS_REVOKED, ada(), account),
        ("aliases with a user among them", SESSION_REVOKED, json!({"format": "aliases", "identifiers": [{"format": "email", "email": "ada@shop.example"}, ada()]}), account),
        ("aliases of a session and its user", SESSION_REVOKED, json!({"format": "aliases", "identifiers": [s1(), ada()]}), session_of_account),
        ("aliases with another issuer's user", ACCOUNT_DISABLED, json!({"format": "aliases", "identifiers": [{"format": "iss_sub", "iss": "https://other.example", "sub": "grace"}, ada()]}), account),
        ("aliases of two users of ours", ACCOUNT_DISABLED, json!({"format": "aliases", "identifiers": [ada(), {"format": "opaque", "id": "grace"}]}), [false; 4]),
        ("a complex user by aliases", SESSION_REVOKED, complex(json!({"user": {"format": "aliases", "identifiers": [{"format": "phone_number", "phone_number": "+1"}, ada()]}})), account),
        ("a session of a user who is named by email", SESSION_REVOKED, complex(json!({"session": s1(), "user": {"format": "email", "email": "ada@shop.example"}})), one_session),
        ("a user with a session that is null", SESSION_REVOKED, complex(json!({"session": null, "user": ada()})), account),
        ("somebody unknown", SESSIONS_REVOKED, json!({"format": "iss_sub", "iss": ISSUER, "sub": "nobody"}), nobody),
        ("an unknown session", SESSION_REVOKED, json!({"format": "opaque", "id": "unknown"}), nobody),
        ("an event of another kind", "https://schemas.openid.net/secevent/caep/event-type/credential-change", ada(), nobody),
        ("a stream's verification", "https://schemas.openid.net/secevent/ssf/event-type/verification", json!({"format": "opaque", "id": "stream"}), nobody),
    ];
    for (name, event, subject, expected) in cases {
        let rig = Rig::new().await;
        let tickets = signed_in(&rig).await;
        let answer = send(&rig, signed(&rig, &claims(&rig, event, subject))).await;
        assert_eq!(answer.status, 202, "{name}: {answer:?}");
        assert_eq!(living(&rig, &tickets).await, expected, "{name}");
    }
}

/// RFC 8417 section 2.2: one event is sent to many receivers.
#[tokio::test]
async fn an_event_for_several_receivers_is_taken_by_each() {
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let mut event = claims(&rig, SESSION_REVOKED, ada());
    event["aud"] = json!(["other", CLIENT, "another"]);
    is_acknowledged(&rig, &event).await;
    assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);
}

#[tokio::test]
async fn an_optional_member_that_cannot_be_read_spoils_no_event() {
    for (name, value) in [
        ("exp", json!("soon")),
        ("nbf", json!([])),
        ("toe", json!({})),
        ("txn", json!(7)),
        ("sub", json!(7)),
    ] {
        let rig = Rig::new().await;
        let tickets = signed_in(&rig).await;
        let mut event = claims(&rig, SESSION_REVOKED, ada());
        event[name] = value;
        event["events"]["https://example.com/other"] = Value::Null;
        is_acknowledged(&rig, &event).await;
        assert_eq!(
            living(&rig, &tickets).await,
            [false, false, false, true],
            "{name}"
        );
    }
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let mut event = claims(&rig, SESSION_REVOKED, Value::Null);
    event["events"][SESSION_REVOKED]["subject"] = ada();
    is_acknowledged(&rig, &event).await;
    assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);
}

#[tokio::test]
async fn the_subject_may_stand_in_the_event_as_it_did_in_drafts() {
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let mut older = claims(&rig, SESSION_REVOKED, Value::Null);
    older.as_object_mut().unwrap().remove("sub_id");
    older["events"][SESSION_REVOKED]["subject"] = ada();
    is_acknowledged(&rig, &older).await;
    assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);

    let mut both = claims(&rig, SESSION_REVOKED, s1());
    both["events"][SESSION_REVOKED]["subject"] = ada();
    assert_eq!(send(&rig, signed(&rig, &both)).await.status, 400);
    both["sub_id"] = ada();
    is_acknowledged(&rig, &both).await;
}

/// The cutoff is the `iat`, regardless of the delay of the event and of its `event_timestamp`.
#[tokio::test]
async fn who_came_back_after_the_event_was_issued_is_spared() {
    let rig = Rig::new().await;
    let before = rig.sign_in("ada", As::default()).await;
    rig.clock.advance(Duration::from_secs(1));
    let mut event = claims(&rig, SESSION_REVOKED, ada());
    event["events"][SESSION_REVOKED]["event_timestamp"] = (rig.seconds() + 3600).into();
    rig.clock.advance(Duration::from_secs(2 * 3600));
    let since = rig.sign_in("ada", As::default()).await;
    for _ in 0..2 {
        is_acknowledged(&rig, &event).await;
        assert_eq!(
            living(&rig, &[before.clone(), since.clone()]).await,
            [false, true]
        );
    }
}

#[tokio::test]
async fn a_sign_in_that_an_event_overtook_is_refused() {
    let rig = Rig::new().await;
    is_acknowledged(&rig, &claims(&rig, ACCOUNT_DISABLED, ada())).await;
    let refused = rig.try_sign_in("ada", As::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SignInRevoked, "{refused}");
}

#[tokio::test]
async fn refusals_have_the_codes_of_rfc_8935_and_end_nothing() {
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let good = claims(&rig, SESSION_REVOKED, ada());
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signed(&rig, &claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(&rig, &claims)
    };
    let header = |header: Value| rig.signer.sign(&header.to_string(), &good.to_string());
    let stranger = Signer::new(rig.signer.id, Algorithm::Es256);
    let elsewhere = json!({"format": "iss_sub", "iss": "https://other.example", "sub": "ada"});
    #[rustfmt::skip]
    let cases = [
        ("no token", String::new(), "invalid_request"),
        ("no issuer", without("iss"), "invalid_request"),
        ("another issuer", with("iss", "https://other.example".into()), "invalid_issuer"),
        ("no audience", without("aud"), "invalid_request"),
        ("another audience", with("aud", "other".into()), "invalid_audience"),
        ("no iat", without("iat"), "invalid_request"),
        ("from the future", with("iat", (rig.seconds() + 61).into()), "invalid_request"),
        ("expired, where it says when", with("exp", (rig.seconds() - 61).into()), "invalid_request"),
        ("no jti", without("jti"), "invalid_request"),
        ("no events", without("events"), "invalid_request"),
        ("no event", with("events", json!({})), "invalid_request"),
        ("events an array", with("events", json!([SESSION_REVOKED])), "invalid_request"),
        ("an event that is no object", with("events", json!({SESSION_REVOKED: true})), "invalid_request"),
        ("no subject", without("sub_id"), "invalid_request"),
        ("a subject that is no object", with("sub_id", "ada".into()), "invalid_request"),
        ("a subject without a format", with("sub_id", json!({"id": "s1"})), "invalid_request"),
        ("a subject by email", with("sub_id", json!({"format": "email", "email": "ada@shop.example"})), "invalid_request"),
        ("a user without a sub", with("sub_id", json!({"format": "iss_sub", "iss": ISSUER})), "invalid_request"),
        ("a user of another issuer", with("sub_id", elsewhere.clone()), "access_denied"),
        ("a session of another issuer's user", with("sub_id", json!({"format": "complex", "session": s1(), "user": elsewhere})), "access_denied"),
        ("a complex subject of a device", with("sub_id", json!({"format": "complex", "device": s1()})), "invalid_request"),
        ("a complex subject in a complex one", with("sub_id", json!({"format": "complex", "user": {"format": "complex", "user": ada()}})), "invalid_request"),
        ("a session that is a user", with("sub_id", json!({"format": "complex", "session": ada()})), "invalid_request"),
        ("aliases without identifiers", with("sub_id", json!({"format": "aliases", "identifiers": []})), "invalid_request"),
        ("aliases of others", with("sub_id", json!({"format": "aliases", "identifiers": [elsewhere.clone()]})), "access_denied"),
        ("aliases by email", with("sub_id", json!({"format": "aliases", "identifiers": [{"format": "email", "email": "ada@shop.example"}]})), "invalid_request"),
        ("aliases that are no array", with("sub_id", json!({"format": "aliases", "identifiers": ada()})), "invalid_request"),
        ("aliases of aliases", with("sub_id", json!({"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": [ada()]}]})), "invalid_request"),
        ("an audience of others", with("aud", json!(["other", "another"])), "invalid_audience"),
        ("a logout token's type", header(json!({"typ": "logout+jwt", "alg": "ES256", "kid": "1"})), "invalid_request"),
        ("not signed", header(json!({"typ": "secevent+jwt", "alg": "none"})), "invalid_key"),
        ("another algorithm", header(json!({"typ": "secevent+jwt", "alg": "RS256", "kid": "1"})), "invalid_key"),
        ("an unknown key", header(json!({"typ": "secevent+jwt", "alg": "ES256", "kid": "2"})), "invalid_key"),
        ("a stranger's signature", stranger.sign(r#"{"typ":"secevent+jwt","alg":"ES256","kid":"1"}"#, &good.to_string()), "invalid_key"),
    ];
    for (name, token, code) in cases {
        let answer = send(&rig, token).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert_eq!(answer.json()["err"], code, "{name}: {answer:?}");
        assert!(answer.json()["description"].is_string(), "{name}");
        assert_eq!(living(&rig, &tickets).await, [true; 4], "{name}");
    }
    is_acknowledged(&rig, &good).await;
}

#[tokio::test]
async fn one_kind_of_token_is_not_taken_for_the_other() {
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let mut both = claims(&rig, SESSION_REVOKED, ada());
    both["sub"] = "ada".into();
    both["exp"] = (rig.seconds() + 60).into();
    let event = signed(&rig, &both);
    assert_eq!(
        rig.send(&event).await.status,
        400,
        "an event at the back channel"
    );
    let logout = rig.token(Some("ada"), None);
    assert_eq!(
        send(&rig, logout).await.status,
        400,
        "a logout token as an event"
    );
    assert_eq!(living(&rig, &tickets).await, [true; 4]);
}

#[tokio::test]
async fn a_type_is_recommended_and_not_demanded() {
    for header in [
        r#"{"alg":"ES256","kid":"1"}"#,
        r#"{"typ":"JWT","alg":"ES256","kid":"1"}"#,
    ] {
        let rig = Rig::new().await;
        let tickets = signed_in(&rig).await;
        let event = claims(&rig, SESSION_REVOKED, ada()).to_string();
        assert_eq!(
            send(&rig, rig.signer.sign(header, &event)).await.status,
            202
        );
        assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);
    }
}

#[tokio::test]
async fn requests_that_are_no_push_of_a_security_event() {
    let rig = Rig::new().await;
    let token = signed(&rig, &claims(&rig, SESSION_REVOKED, ada()));
    let mut get = push(token.clone());
    *get.method_mut() = http::Method::GET;
    assert_eq!(Answer::of(rig.routes.security_event(get).await).status, 405);
    let form = Answer::of(rig.routes.security_event(post(&token)).await);
    assert_eq!(form.status, 415);
    assert_eq!(form.json()["err"], "invalid_request");
    assert_eq!(send(&rig, vec![b'a'; 64 * 1024 + 1]).await.status, 413);
    assert_eq!(send(&rig, vec![0xff; 100]).await.status, 400);
}

#[tokio::test]
async fn a_failed_eviction_is_not_acknowledged() {
    let rig = Rig::new().await;
    let tickets = signed_in(&rig).await;
    let event = claims(&rig, SESSION_REVOKED, ada());
    rig.store.fail_with(ErrorKind::Unavailable);
    let answer = send(&rig, signed(&rig, &event)).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.retry_after);
    rig.store.work();
    is_acknowledged(&rig, &event).await;
    assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);
}

/// The issuer of Google's transmitter has a final slash, unlike that of its ID tokens.
#[tokio::test]
async fn a_transmitter_with_a_name_of_its_own_speaks_for_an_issuer() {
    let transmitter = Signer::new("1", Algorithm::Rs256);
    let keys = jwks(&[&transmitter]);
    let name = "https://id.example/";
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.client(
            ClientRegistration::new(name, "stream-of-shop")
                .jwks(keys)
                .subject_issuer(ISSUER),
        )
    })
    .await;
    for subject in [
        ada(),
        json!({"format": "iss_sub", "iss": name, "sub": "ada"}),
    ] {
        rig.clock.advance(Duration::from_secs(1));
        let tickets = signed_in(&rig).await;
        let mut event = claims(&rig, ACCOUNT_DISABLED, subject);
        event["iss"] = name.into();
        event["aud"] = json!(["stream-of-shop"]);
        let header = json!({"typ": "secevent+jwt", "alg": "RS256", "kid": "1"});
        let token = transmitter.sign(&header.to_string(), &event.to_string());
        let answer = send(&rig, token).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(living(&rig, &tickets).await, [false, false, false, true]);
    }
}

#[tokio::test]
async fn the_hook_is_told_of_a_shared_signal() {
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.on_sign_out(move |event| {
            let tell = tell.clone();
            async move { tell.send(event).unwrap() }
        })
    })
    .await;
    let _tickets = signed_in(&rig).await;
    is_acknowledged(&rig, &claims(&rig, SESSION_REVOKED, s1())).await;
    let event = told(&mut tellings).await;
    assert_eq!(event.cause, SignOutCause::SharedSignals);
    assert_eq!(event.scope, SignOutScopeKind::ProviderSession);
    assert_eq!(event.provider_session.unwrap().sid(), "s1");
    assert!(event.result.unwrap().ended);
}

//! The messages that providers sent, recorded as test messages for the sign-out routes. `TOKEN_CACHE_RECORD=1` records them again.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use token_cache_integration_tests::servers::{Exchange, LogoutChannel};

use crate::openid_providers::{scenarios::refreshes, stage::Stage, table::Row};

const VARIABLE: &str = "TOKEN_CACHE_RECORD";

/// Compares the provider's messages with the recorded ones: the names of all members, but not their values.
pub(crate) fn check(stage: &Stage, row: &Row, channel: LogoutChannel) {
    let sent = sent(stage, row, channel);
    let path = path(row, channel);
    if std::env::var_os(VARIABLE).is_some() {
        let text = format!("{}\n", serde_json::to_string_pretty(&sent).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let recorded = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; record it with {VARIABLE}=1", path.display()));
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(
        shape(&sent),
        shape(&recorded),
        "{} sends other messages than before; check them, and record them with {VARIABLE}=1",
        row.name
    );
}

fn path(row: &Row, channel: LogoutChannel) -> PathBuf {
    let channel = match channel {
        LogoutChannel::Back => "back",
        LogoutChannel::Front => "front",
    };
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../sign-out/tests/messages/recorded")
        .join(format!("{}-{channel}.json", row.name))
}

fn sent(stage: &Stage, row: &Row, channel: LogoutChannel) -> Value {
    let provider = &stage.provider;
    let discovery = last(provider.asked("/.well-known/openid-configuration"));
    let discovery: Value = discovery.json().unwrap();
    let keys = url::Url::parse(discovery["jwks_uri"].as_str().unwrap()).unwrap();
    let keys: Value = last(provider.asked(keys.path())).json().unwrap();
    let message = last(provider.messages(channel));
    let sid = match channel {
        LogoutChannel::Back => {
            let [_, claims] = parts(&message.field("logout_token").unwrap());
            claims["sid"].as_str().map(str::to_owned)
        }
        LogoutChannel::Front => message.parameter("sid"),
    };
    let id_tokens: Vec<String> = provider
        .asked("token")
        .iter()
        .filter(|it| it.field("grant_type").as_deref() == Some("authorization_code"))
        .filter_map(|it| Some(it.json::<Value>().ok()?["id_token"].as_str()?.to_owned()))
        .collect();
    let of_session = id_tokens
        .iter()
        .find(|token| sid.is_some() && parts(token)[1]["sid"].as_str() == sid.as_deref());
    let refreshed: Value = last(refreshes(stage)).json().unwrap();
    let mut sent = json!({
        "provider": row.name,
        "version": row.version,
        "discovery": discovery,
        "keys": keys,
        // The token of the session that the message names, or the last one.
        "id_token": of_session.or(id_tokens.last()),
        "refresh_response": refreshed,
    });
    match channel {
        LogoutChannel::Back => sent["logout_token"] = json!(message.field("logout_token").unwrap()),
        LogoutChannel::Front => sent["front_channel"] = json!(message.path),
    }
    sent
}

fn last(exchanges: Vec<Exchange>) -> Exchange {
    exchanges.into_iter().next_back().unwrap()
}

/// Returns the names of all members, including the headers and claims of tokens.
fn shape(sent: &Value) -> Value {
    let names = |value: &Value| {
        let object = value.as_object().cloned().unwrap_or_default();
        let names: Vec<String> = object.keys().cloned().collect();
        json!(names)
    };
    let token = |name: &str| match sent[name].as_str() {
        Some(token) => json!(parts(token).each_ref().map(names)),
        None => Value::Null,
    };
    let query = sent["front_channel"].as_str().map(|path| {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.map(|(name, _)| name.into_owned()).collect::<Vec<_>>()
    });
    json!({
        "version": sent["version"],
        "discovery": names(&sent["discovery"]),
        "id_token": token("id_token"),
        "refresh_response": names(&sent["refresh_response"]),
        "logout_token": token("logout_token"),
        "front_channel": query,
    })
}

/// Returns the header and the claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        let object: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
        Value::Object(object)
    })
}

//! Messages of real providers with throw-away keys. Each ends the session of its ID token, and no other.
//! `integration-tests/tests/it/openid_providers` records them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use serde_json::Value;
use token_cache_core::{AccountId, SignIn, Ticket, Timestamp};
use token_cache_sign_out::{
    Algorithm, ClaimRequirement, ClientRegistration, FrontChannelParameters, SignOutRoutes,
};

use crate::{rig::Rig, signer::Signer};

/// The client that the providers know.
const CLIENT: &str = "app";

/// The messages of one provider.
struct Recorded {
    all: Value,
    id_token: Value,
}

impl Recorded {
    fn parse(text: &str) -> Self {
        let all: Value = serde_json::from_str(text).unwrap();
        let [_, id_token] = parts(all["id_token"].as_str().unwrap());
        Self { all, id_token }
    }

    fn issuer(&self) -> &str {
        self.all["discovery"]["issuer"].as_str().unwrap()
    }

    fn subject(&self) -> &str {
        self.id_token["sub"].as_str().unwrap()
    }

    /// Returns an app of this provider, at the time of the ID token.
    async fn rig(&self, more: impl FnOnce(ClientRegistration) -> ClientRegistration) -> Rig {
        let [header, _] = parts(self.all["id_token"].as_str().unwrap());
        let algorithm = match header["alg"].as_str().unwrap() {
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            other => panic!("{other}"),
        };
        let client = ClientRegistration::new(self.issuer(), CLIENT)
            .algorithms([algorithm])
            .jwks(self.all["keys"].to_string());
        let client = more(client);
        let unused = Signer::new("unused", Algorithm::Es256);
        let rig = Rig::of(unused, token_cache_core::SidMeaning::Session, |cache| {
            SignOutRoutes::builder(cache).client(client)
        })
        .await;
        let issued_at = self.id_token["iat"].as_u64().unwrap();
        rig.clock.set(Timestamp::from_secs(issued_at));
        rig
    }

    /// Starts the session of the recorded ID token.
    async fn sign_in(&self, rig: &Rig) -> Ticket {
        let sid = self.id_token["sid"].as_str();
        self.sign_in_as(rig, self.subject(), sid).await
    }

    async fn sign_in_as(&self, rig: &Rig, subject: &str, sid: Option<&str>) -> Ticket {
        let started = rig.cache.start_sign_in().unwrap();
        let account = AccountId::new(self.issuer(), subject).unwrap();
        let mut sign_in = SignIn::new(account, &started);
        if let Some(auth_time) = self.id_token["auth_time"].as_u64() {
            sign_in = sign_in.auth_time(Timestamp::from_secs(auth_time));
        }
        if let Some(sid) = sid {
            sign_in = sign_in.sid(sid).unwrap();
        }
        rig.cache.sign_in(sign_in).await.unwrap().ticket().unwrap()
    }
}

/// Returns the header and the claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    })
}

/// Checks that a logout token ends the recorded session. Another user's session stays live, and so does another session
/// of the user if the token has a `sid`.
async fn ends_its_session(text: &str) {
    let recorded = Recorded::parse(text);
    let token = recorded.all["logout_token"].as_str().unwrap();
    let [_, claims] = parts(token);
    let exp = match claims.get("exp") {
        Some(_) => ClaimRequirement::Required,
        None => ClaimRequirement::Optional,
    };
    let rig = recorded.rig(|client| client.exp_claim(exp)).await;
    let ticket = recorded.sign_in(&rig).await;
    let sid = recorded.id_token["sid"].as_str().map(|_| "another");
    let phone = recorded.sign_in_as(&rig, recorded.subject(), sid).await;
    let stranger = recorded.sign_in_as(&rig, "stranger", sid).await;
    let sent_at = claims["iat"].as_u64().unwrap();
    rig.clock.set(Timestamp::from_secs(sent_at));
    let answer = rig.send(token).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(!rig.is_signed_in(&ticket).await);
    assert_eq!(
        rig.is_signed_in(&phone).await,
        claims.get("sid").is_some() && sid.is_some()
    );
    assert!(rig.is_signed_in(&stranger).await);
}

/// Checks that a frame's request ends the session of its `sid`. The user's other session and another user's session
/// stay live.
async fn the_frame_ends_its_session(text: &str) {
    let recorded = Recorded::parse(text);
    let rig = recorded.rig(|client| client).await;
    let ticket = recorded.sign_in(&rig).await;
    let phone = recorded
        .sign_in_as(&rig, recorded.subject(), Some("another"))
        .await;
    let stranger = recorded.sign_in_as(&rig, "stranger", Some("a third")).await;
    let frame = recorded.all["front_channel"].as_str().unwrap();
    let (request, ()) = Request::get(frame).body(()).unwrap().into_parts();
    let response = rig.routes.front_channel_logout(&request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!rig.is_signed_in(&ticket).await);
    assert!(rig.is_signed_in(&phone).await);
    assert!(rig.is_signed_in(&stranger).await);
}

#[tokio::test]
async fn oidc_provider_by_back_channel() {
    ends_its_session(include_str!("recorded/oidc-provider-back.json")).await;
}

#[tokio::test]
async fn glewlwyd_by_back_channel() {
    ends_its_session(include_str!("recorded/glewlwyd-back.json")).await;
}

#[tokio::test]
async fn glewlwyd_by_front_channel() {
    the_frame_ends_its_session(include_str!("recorded/glewlwyd-front.json")).await;
}

/// The `sid` is the user's `sub`, so the request ends both sessions of the user, and not another user's.
#[tokio::test]
async fn lemonldap_by_front_channel() {
    let recorded = Recorded::parse(include_str!("recorded/lemonldap-ng-front.json"));
    let rig = recorded
        .rig(|client| client.front_channel_parameters(FrontChannelParameters::SubjectAsSid))
        .await;
    let laptop = recorded.sign_in(&rig).await;
    let phone = recorded.sign_in(&rig).await;
    let stranger = recorded.sign_in_as(&rig, "stranger", None).await;
    let frame = recorded.all["front_channel"].as_str().unwrap();
    let (request, ()) = Request::get(frame).body(()).unwrap().into_parts();
    let response = rig.routes.front_channel_logout(&request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!rig.is_signed_in(&laptop).await);
    assert!(!rig.is_signed_in(&phone).await);
    assert!(rig.is_signed_in(&stranger).await);
}

#[tokio::test]
async fn idpyoidc_by_back_channel() {
    ends_its_session(include_str!("recorded/idpyoidc-back.json")).await;
}

#[tokio::test]
async fn idpyoidc_by_front_channel() {
    the_frame_ends_its_session(include_str!("recorded/idpyoidc-front.json")).await;
}

#[tokio::test]
async fn keycloak_by_back_channel() {
    ends_its_session(include_str!("recorded/keycloak-back.json")).await;
}

#[tokio::test]
async fn keycloak_by_front_channel() {
    the_frame_ends_its_session(include_str!("recorded/keycloak-front.json")).await;
}

#[tokio::test]
async fn hydra_by_back_channel() {
    ends_its_session(include_str!("recorded/hydra-back.json")).await;
}

#[tokio::test]
async fn hydra_by_front_channel() {
    the_frame_ends_its_session(include_str!("recorded/hydra-front.json")).await;
}

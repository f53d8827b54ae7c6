/// An unusual token response, with the values that a client can still use. Most such responses violate RFC 6749 section 5.1. A test of a
/// [`TokenSource`](crate::TokenSource) reads them from [`ODD_TOKEN_RESPONSES`].
///
/// The access token of every such response is `at-2`.
///
/// ```
/// use token_cache::{Timestamp, TokenSet, store::test_util::ODD_TOKEN_RESPONSES};
///
/// for odd in ODD_TOKEN_RESPONSES {
///     let tokens = TokenSet::from_json(odd.body, Timestamp::from_secs(1_700_000_000))?;
///     assert_eq!(tokens.refresh_token().is_some(), odd.refresh_token.is_some());
/// }
/// # Ok::<(), token_cache::refresh::RefreshError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct OddTokenResponse {
    /// The body of the provider's HTTP response.
    pub body: &'static [u8],
    /// The refresh token that a client must read from the response. `None` if the response has no usable refresh token: the client keeps
    /// its old one.
    pub refresh_token: Option<&'static str>,
    /// The lifetime of the access token that a client must read from the response, in seconds. `None` if the response has no usable
    /// lifetime: the client treats it as unknown.
    pub lifetime: Option<u64>,
    /// The scopes that a client must read from the response. Empty if the response has no usable scopes.
    pub scopes: &'static [&'static str],
}

const fn rotated(body: &'static str) -> OddTokenResponse {
    OddTokenResponse {
        body: body.as_bytes(),
        refresh_token: Some("rt-2"),
        lifetime: None,
        scopes: &[],
    }
}

const fn lasting(body: &'static str, lifetime: u64) -> OddTokenResponse {
    OddTokenResponse {
        lifetime: Some(lifetime),
        ..rotated(body)
    }
}

const fn scoped(body: &'static str, scopes: &'static [&'static str]) -> OddTokenResponse {
    OddTokenResponse {
        scopes,
        ..rotated(body)
    }
}

const fn unrotated(body: &'static str) -> OddTokenResponse {
    OddTokenResponse {
        refresh_token: None,
        ..rotated(body)
    }
}

/// Unusual token responses that providers send or could send. [`TokenSet::from_json`](crate::TokenSet::from_json) accepts each of them, and
/// so do the grants of `token_cache::providers`.
pub const ODD_TOKEN_RESPONSES: &[OddTokenResponse] = &[
    // The token type.
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":null}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":""}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":["Bearer"]}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"bEaReR"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":7}"#),
    // The lifetime.
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"3600"}"#, 3600),
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":" 3600 "}"#, 3600),
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":3600.0}"#, 3600),
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":3599.9}"#, 3599),
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"3599.9"}"#, 3599),
    lasting(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":3.6e3}"#, 3600),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":0}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"0"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":0.4}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":-1}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":-1.5}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":18446744073709551615}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":1e30}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":1e999}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":1764460000000}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":null}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":""}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"soon"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"inf"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"NaN"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":"2026-11-30T10:00:00Z"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":true}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":[3600]}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":{"seconds":3600}}"#),
    // The scopes.
    scoped(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":["openid","mail"]}"#, &["openid", "mail"]),
    scoped(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":["openid mail"]}"#, &["openid", "mail"]),
    scoped(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":" openid  mail "}"#, &["openid", "mail"]),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":[]}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":[1,null]}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":null}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":""}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":true}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","scope":{"mail":true}}"#),
    // The ID token.
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","id_token":null}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","id_token":""}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","id_token":{"sub":"ada"}}"#),
    // The refresh token.
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer"}"#),
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer","refresh_token":null}"#),
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer","refresh_token":""}"#),
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer","refresh_token":" "}"#),
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer","refresh_token":false}"#),
    unrotated(r#"{"access_token":"at-2","token_type":"Bearer","refresh_token":["rt-2"]}"#),
    // Members that are sent twice.
    lasting(r#"{"access_token":"at-1","access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","expires_in":1,"expires_in":60}"#, 60),
    rotated(r#"{"access_token":"at-2","access_token":null,"refresh_token":"rt-2","refresh_token":"","token_type":"Bearer"}"#),
    rotated(r#"{"access_token":"at-2","access_token":7,"refresh_token":"rt-2","refresh_token":7,"token_type":"Bearer"}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","x":1,"x":2}"#),
    // Other members.
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","error":null,"error_description":""}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","":null,"a b":[{"c":[]}]}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","n":1e999,"m":-0.0}"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","name":"\ud800","\udfff":1}"#),
    // Whitespace and other bytes around the JSON object.
    rotated("\u{feff}{\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\",\"token_type\":\"Bearer\"}"),
    rotated("\r\n {\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\",\"token_type\":\"Bearer\"}\r\n\0"),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer"}<!-- served by node 7 -->"#),
    rotated(r#"{"access_token":"at-2","refresh_token":"rt-2","token_type":"Bearer","#),
    OddTokenResponse {
        body: b"{\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\",\"token_type\":\"Bearer\",\"city\":\"Z\xfcrich\"}",
        ..rotated("")
    },
];

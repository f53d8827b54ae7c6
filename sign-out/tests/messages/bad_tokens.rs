//! Logout tokens with one mistake each: the mistake, the section of the specification, and the response. After each
//! token the user is still signed in.
//!
//! `BC` is OpenID Connect Back-Channel Logout 1.0, `Core` OpenID Connect Core 1.0.

use ring::hmac;
use serde_json::{Map, Value, json};
use token_cache_sign_out::Algorithm;

use crate::{
    rig::{Answer, As, EVENT, Rig, post_form},
    signer::{Signer, encoded},
};

struct Row {
    name: &'static str,
    wrong: Wrong,
    section: &'static str,
    status: u16,
    /// A part of the description.
    says: &'static str,
}

/// A change to a valid token. JSON is used as written.
#[derive(Clone, Copy)]
enum Wrong {
    Claim(&'static str, &'static str),
    NoClaim(&'static str),
    /// The member a second time, after the valid one.
    ClaimTwice(&'static str, &'static str),
    /// Seconds from now.
    Time(&'static str, i64),
    Claims(&'static str),
    Header(&'static str, &'static str),
    NoHeader(&'static str),
    HeaderTwice(&'static str, &'static str),
    WholeHeader(&'static str),
    /// Another token, made from the valid one.
    Token(fn(&Rig, &str) -> String),
    /// The whole form, made from the valid token.
    Form(fn(&str) -> Vec<u8>),
}

use Wrong::{
    Claim, ClaimTwice, Claims, Form, Header, HeaderTwice, NoClaim, NoHeader, Time, Token,
    WholeHeader,
};

const fn row(
    name: &'static str,
    wrong: Wrong,
    section: &'static str,
    status: u16,
    says: &'static str,
) -> Row {
    Row {
        name,
        wrong,
        section,
        status,
        says,
    }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // the issuer
    row("no issuer", NoClaim("iss"), "BC 2.4", 400, "no `iss`"),
    row("an unknown issuer", Claim("iss", r#""https://evil.example""#), "BC 2.6 (4)", 400, "`iss` is not known"),
    row("the issuer with a slash more", Claim("iss", r#""https://id.example/""#), "BC 2.6 (4), Core 3.1.3.7 (2)", 400, "`iss` is not known"),
    row("the issuer in capitals", Claim("iss", r#""HTTPS://ID.EXAMPLE""#), "BC 2.6 (4), Core 3.1.3.7 (2)", 400, "`iss` is not known"),
    row("an empty issuer", Claim("iss", r#""""#), "BC 2.4", 400, "no `iss`"),
    row("the issuer null", Claim("iss", "null"), "BC 2.4", 400, "no `iss`"),
    row("the issuer in an array", Claim("iss", r#"["https://id.example"]"#), "RFC 7519 4.1.1", 400, "`iss` must be"),
    row("a second issuer", ClaimTwice("iss", r#""https://evil.example""#), "RFC 7519 4", 400, "duplicate members"),
    // the audience
    row("no audience", NoClaim("aud"), "BC 2.4", 400, "no `aud`"),
    row("another audience", Claim("aud", r#""other""#), "BC 2.6 (4)", 400, "`aud` is not this app"),
    row("an empty audience", Claim("aud", r#""""#), "BC 2.6 (4)", 400, "`aud` is not this app"),
    row("an empty audience list", Claim("aud", "[]"), "BC 2.6 (4)", 400, "`aud` is not this app"),
    row("an audience of others", Claim("aud", r#"["other","another"]"#), "BC 2.6 (4)", 400, "`aud` is not this app"),
    row("an audience with a stranger in it", Claim("aud", r#"["shop","other"]"#), "BC 2.6 (4), Core 3.1.3.7 (3)", 400, "contains other audiences"),
    row("an audience that begins like ours", Claim("aud", r#""shop-app""#), "BC 2.6 (4)", 400, "`aud` is not this app"),
    row("the audience an object", Claim("aud", r#"{"shop":true}"#), "RFC 7519 4.1.3", 400, "`aud` must be"),
    row("the audience a number", Claim("aud", "1"), "RFC 7519 4.1.3", 400, "`aud` must be"),
    row("the audience null", Claim("aud", "null"), "RFC 7519 4.1.3", 400, "no `aud`"),
    row("a number among the audience", Claim("aud", r#"["shop",1]"#), "RFC 7519 4.1.3", 400, "`aud` must be"),
    row("a second audience claim", ClaimTwice("aud", r#""shop""#), "RFC 7519 4", 400, "duplicate members"),
    // the times
    row("no iat", NoClaim("iat"), "BC 2.4", 400, "no `iat`"),
    row("iat a string", Claim("iat", r#""1700000000""#), "RFC 7519 4.1.6", 400, "`iat` must be"),
    row("iat null", Claim("iat", "null"), "RFC 7519 4.1.6", 400, "no `iat`"),
    row("iat before 1970", Claim("iat", "-1"), "RFC 7519 2", 400, "`iat` must be"),
    row("iat beyond all numbers", Claim("iat", "1e400"), "RFC 8259 6", 400, "not a JSON object"),
    row("iat beyond all time", Claim("iat", "1e300"), "RFC 7519 2", 400, "`iat` must be"),
    row("iat in milliseconds", Claim("iat", "1700000000000"), "RFC 7519 2", 400, "in the future"),
    row("issued in the future", Time("iat", 61), "BC 2.6 (4)", 400, "in the future"),
    row("issued too long ago", Time("iat", -661), "BC 2.6 (4), Core 3.1.3.7 (10)", 400, "too long ago"),
    row("a second iat", ClaimTwice("iat", "1700000001"), "RFC 7519 4", 400, "duplicate members"),
    row("no exp", NoClaim("exp"), "BC 2.4", 400, "no `exp`"),
    row("exp a string", Claim("exp", r#""1700009999""#), "RFC 7519 4.1.4", 400, "`exp` must be"),
    row("exp null", Claim("exp", "null"), "RFC 7519 4.1.4", 400, "no `exp`"),
    row("exp an array", Claim("exp", "[1700009999]"), "RFC 7519 4.1.4", 400, "`exp` must be"),
    row("expired", Time("exp", -60), "BC 2.6 (4), RFC 7519 4.1.4", 400, "expired"),
    row("expired in 1970", Claim("exp", "0"), "BC 2.6 (4)", 400, "expired"),
    row("not to be used yet", Time("nbf", 61), "RFC 7519 4.1.5", 400, "in the future"),
    // the name
    row("no jti", NoClaim("jti"), "BC 2.4", 400, "no `jti`"),
    row("an empty jti", Claim("jti", r#""""#), "BC 2.4", 400, "no `jti`"),
    row("jti a number", Claim("jti", "7"), "RFC 7519 4.1.7", 400, "`jti` must be"),
    // the event
    row("no events", NoClaim("events"), "BC 2.6 (6)", 400, "no `events`"),
    row("another event", Claim("events", r#"{"http://schemas.openid.net/event/other":{}}"#), "BC 2.6 (6)", 400, "must have the logout event"),
    row("no event at all", Claim("events", "{}"), "BC 2.6 (6)", 400, "must have the logout event"),
    row("events an array", Claim("events", r#"["http://schemas.openid.net/event/backchannel-logout"]"#), "BC 2.4, RFC 8417 2.2", 400, "`events` must be"),
    row("events a string", Claim("events", r#""http://schemas.openid.net/event/backchannel-logout""#), "BC 2.4, RFC 8417 2.2", 400, "`events` must be"),
    row("events null", Claim("events", "null"), "BC 2.4, RFC 8417 2.2", 400, "no `events`"),
    row("the event's value null", Claim("events", r#"{"http://schemas.openid.net/event/backchannel-logout":null}"#), "BC 2.4", 400, "with an object"),
    row("the event's value an array", Claim("events", r#"{"http://schemas.openid.net/event/backchannel-logout":[]}"#), "BC 2.4", 400, "with an object"),
    row("the event's value true", Claim("events", r#"{"http://schemas.openid.net/event/backchannel-logout":true}"#), "BC 2.4", 400, "with an object"),
    row("the event twice", Claim("events", r#"{"http://schemas.openid.net/event/backchannel-logout":{},"http://schemas.openid.net/event/backchannel-logout":{}}"#), "RFC 8417 2.2", 400, "duplicate members"),
    row("the event with https", Claim("events", r#"{"https://schemas.openid.net/event/backchannel-logout":{}}"#), "BC 2.4", 400, "must have the logout event"),
    row("an ID token's nonce", Claim("nonce", r#""n-0S6_WzA2Mj""#), "BC 2.6 (7)", 400, "`nonce`"),
    row("a nonce that is null", Claim("nonce", "null"), "BC 2.6 (7)", 400, "`nonce`"),
    // the subject
    row("neither sub nor sid", NoClaim("sub"), "BC 2.6 (5)", 400, "neither a user nor a session"),
    row("an empty sub", Claim("sub", r#""""#), "Core 2", 400, "neither a user nor a session"),
    row("sub a number", Claim("sub", "248289761001"), "Core 2", 400, "`sub` must be"),
    row("sub null", Claim("sub", "null"), "Core 2", 400, "neither a user nor a session"),
    row("sub an array", Claim("sub", r#"["ada"]"#), "Core 2", 400, "`sub` must be"),
    row("sub an object", Claim("sub", r#"{"ada":1}"#), "Core 2", 400, "`sub` must be"),
    row("a second sub", ClaimTwice("sub", r#""grace""#), "RFC 7519 4", 400, "duplicate members"),
    row("a second sub in other letters", ClaimTwice("s\\u0075b", r#""grace""#), "RFC 7519 4", 400, "duplicate members"),
    row("a sub of nine kilobytes", Token(|rig, _| with_claim(rig, "sub", "a".repeat(9 * 1024).into())), "RFC 7519 4.1.2", 400, "`sub` must be"),
    // the header
    row("no algorithm", NoHeader("alg"), "RFC 7515 4.1.1", 400, "no `alg`"),
    row("not signed, and said so", Header("alg", r#""none""#), "BC 2.6 (3), RFC 8725 3.1", 400, "not signed"),
    row("not signed, and said so loudly", Header("alg", r#""nOnE""#), "RFC 8725 3.1", 400, "not signed"),
    row("the algorithm in other case", Header("alg", r#""es256""#), "RFC 7515 4.1.1", 400, "the algorithm"),
    row("the algorithm null", Header("alg", "null"), "RFC 7515 4.1.1", 400, "no `alg`"),
    row("algorithms to choose from", Header("alg", r#"["ES256","none"]"#), "RFC 7515 4.1.1", 400, "`alg` must be"),
    row("a second algorithm", HeaderTwice("alg", r#""none""#), "RFC 7515 4", 400, "duplicate members"),
    row("another curve", Header("alg", r#""ES384""#), "BC 2.6 (3)", 400, "the algorithm"),
    row("the algorithm of another key", Token(|_, _| rs256()), "BC 2.6 (3), RFC 8725 3.1", 400, "the algorithm"),
    row("HS256 under the ES256 public key", Token(|rig, token| hs256(&rig.signer, token)), "RFC 8725 2.1, 3.1", 400, "the algorithm"),
    row("an ID token's or access token's type", Header("typ", r#""at+jwt""#), "BC 2.4, RFC 8725 3.11", 400, "`typ`"),
    row("a security event's type", Header("typ", r#""secevent+jwt""#), "BC 2.4, RFC 8725 3.11", 400, "`typ`"),
    row("the type a number", Header("typ", "1"), "RFC 7515 4.1.9", 400, "`typ` must be"),
    row("a critical extension", Header("crit", r#"["exp"]"#), "RFC 7515 4.1.11", 400, "`crit`"),
    row("an empty list of critical extensions", Header("crit", "[]"), "RFC 7515 4.1.11", 400, "`crit`"),
    row("unencoded payload", WholeHeader(r#"{"alg":"ES256","kid":"1","b64":false,"crit":["b64"]}"#), "RFC 7797 6", 400, "`crit`"),
    row("a key of its own", Token(own_key), "RFC 7515 4.1.3, RFC 8725 3.10", 400, "signature is not the provider's"),
    row("another token inside", Header("cty", r#""JWT""#), "RFC 7519 5.2", 400, "`cty`"),
    row("an unknown kid", Header("kid", r#""2""#), "Core 10.1", 400, "a key that the provider does not publish"),
    row("a key by a path", Header("kid", r#""../../dev/null""#), "RFC 8725 3.10", 400, "a key that the provider does not publish"),
    row("a header that is no object", WholeHeader("[]"), "RFC 7515 4", 400, "header is not a JSON object"),
    row("a header that is no JSON", WholeHeader("{alg:ES256}"), "RFC 7515 4", 400, "header is not a JSON object"),
    row("an empty header", WholeHeader(""), "RFC 7515 4", 400, "header is not a JSON object"),
    row("encrypted, by its header", Header("enc", r#""A256GCM""#), "BC 2.6 (1)", 400, "encrypted"),
    // the form of the token
    row("a JWE", Token(|_, token| format!("{token}.AAAA.AAAA")), "BC 2.6 (1), RFC 7516 3.1", 400, "encrypted"),
    row("claims that are no object", Claims("[]"), "RFC 7519 7.2 (10)", 400, "payload is not a JSON object"),
    row("claims that are no JSON", Claims("{"), "RFC 7519 7.2 (10)", 400, "payload is not a JSON object"),
    row("claims with something behind them", Claims("{} {}"), "RFC 8259 2", 400, "payload is not a JSON object"),
    row("claims nested without end", Token(|rig, _| rig.signer.sign(&rig.header().to_string(), &"[".repeat(30_000))), "RFC 8259 9", 400, "payload is not a JSON object"),
    row("another token as claims", Token(|rig, token| rig.signer.sign(&rig.header().to_string(), token)), "RFC 7519 5.2", 400, "payload is not a JSON object"),
    row("JSON serialization", Token(|_, token| json_serialization(token)), "RFC 7519 3", 400, "three parts"),
    row("two parts", Token(|_, token| token.rsplit_once('.').unwrap().0.to_owned()), "RFC 7515 7.1", 400, "three parts"),
    row("four parts", Token(|_, token| format!("{token}.AAAA")), "RFC 7515 7.1", 400, "three parts"),
    row("nothing but dots", Token(|_, _| "..".to_owned()), "RFC 7515 7.1", 400, "not a JSON object"),
    row("no token in it", Token(|_, _| String::new()), "BC 2.5", 400, "three parts"),
    row("padded base64", Token(|_, token| token.replacen('.', "%3D%3D.", 1)), "RFC 7515 2", 400, "base64url"),
    row("the other base64", Token(|_, token| { let (head, _) = token.rsplit_once('.').unwrap(); format!("{head}.%2B%2F%2B%2F") }), "RFC 7515 2", 400, "signature is not base64url"),
    row("a line break in it", Token(|_, token| token.replacen('.', "%0A.", 1)), "RFC 7515 2", 400, "base64url"),
    row("a space before it", Token(|_, token| format!("+{token}")), "RFC 7515 2", 400, "base64url"),
    // the signature
    row("no signature", Token(|_, token| format!("{}.", token.rsplit_once('.').unwrap().0)), "RFC 8725 3.1", 400, "not signed"),
    row("a signature of another token", Token(other_signature), "BC 2.6 (2)", 400, "signature is not the provider's"),
    row("half a signature", Token(|_, token| token[..token.len() - 46].to_owned()), "BC 2.6 (2)", 400, "signature is not the provider's"),
    row("a signature of zeros", Token(|_, token| format!("{}.{}", token.rsplit_once('.').unwrap().0, encoded([0; 64]))), "CVE-2022-21449", 400, "signature is not the provider's"),
    row("a signature in DER", Token(|_, token| format!("{}.{}", token.rsplit_once('.').unwrap().0, encoded([0x30, 6, 2, 1, 1, 2, 1, 1]))), "RFC 7518 3.4", 400, "signature is not the provider's"),
    row("signed by somebody else", Token(|rig, token| resigned(&Signer::new(rig.signer.id, Algorithm::Es256), token)), "BC 2.6 (2)", 400, "signature is not the provider's"),
    // the form
    row("an empty form", Form(|_| Vec::new()), "BC 2.5", 400, "no logout_token"),
    row("another field", Form(|token| format!("token={token}").into_bytes()), "BC 2.5", 400, "no logout_token"),
    row("the field in capitals", Form(|token| format!("LOGOUT_TOKEN={token}").into_bytes()), "BC 2.5", 400, "no logout_token"),
    row("the token twice", Form(|token| format!("logout_token={token}&logout_token={token}").into_bytes()), "BC 2.5, RFC 6749 3.1", 400, "more than one"),
    row("a second, empty token", Form(|token| format!("logout_token={token}&logout_token=").into_bytes()), "BC 2.5, RFC 6749 3.1", 400, "more than one"),
    row("JSON for a form", Form(|token| json!({"logout_token": token}).to_string().into_bytes()), "BC 2.5", 400, "no logout_token"),
    row("bytes that are no text", Form(|_| b"logout_token=\xff\xfe.%ff.%00".to_vec()), "RFC 7515 2", 400, "base64url"),
    row("huge", Form(|token| format!("logout_token={token}{}", "A".repeat(64 * 1024)).into_bytes()), "RFC 9110 15.5.14", 413, "more than 65536 bytes"),
    row("huge, in many fields", Form(|token| format!("{}logout_token={token}", "a=b&".repeat(20_000)).into_bytes()), "RFC 9110 15.5.14", 413, "more than 65536 bytes"),
];

#[tokio::test]
async fn each_is_refused_as_the_table_says_and_ends_nothing() {
    assert!(TABLE.len() >= 60, "{}", TABLE.len());
    let rig = Rig::new().await;
    let how = As {
        sid: Some("s1"),
        ..As::default()
    };
    let ticket = rig.sign_in("ada", how).await;
    let mut wrong = Vec::new();
    for row in TABLE {
        let answer = Answer::of(
            rig.routes
                .back_channel_logout(post_form(form(&rig, row.wrong)))
                .await,
        );
        let json = answer.json();
        let description = json["error_description"].as_str().unwrap_or_default();
        if answer.status != row.status
            || json["error"] != "invalid_request"
            || !description.contains(row.says)
            || answer.retry_after
        {
            wrong.push(format!("{} ({}): {answer:?}", row.name, row.section));
        }
        assert!(
            rig.is_signed_in(&ticket).await,
            "{} ended a session",
            row.name
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len(), "each row has its own name");
    assert!(
        rig.send(&good(&rig)).await.is_ok(),
        "what they are made of is good"
    );
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test]
async fn a_public_key_is_no_secret_to_sign_with_whatever_it_is_a_key_for() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa] {
        let rig = Rig::with(algorithm, |routes| routes).await;
        let answer = rig.send(&hs256(&rig.signer, &good(&rig))).await;
        assert_eq!(answer.status, 400, "{algorithm:?}: {answer:?}");
        assert!(answer.body.contains("the algorithm"), "{answer:?}");
    }
}

/// Responses contain no part of a token, because the sender may log them.
#[tokio::test]
async fn no_refusal_repeats_what_it_refuses() {
    let rig = Rig::new().await;
    for name in ["iss", "aud", "sub", "jti", "nonce", "events", "iat"] {
        let answer = rig.send(&with_claim(&rig, name, json!(["canary"]))).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains("canary"), "{answer:?}");
    }
    for name in ["alg", "kid", "typ", "jwk", "crit"] {
        let mut header = rig.header();
        header[name] = "canary".into();
        let token = rig
            .signer
            .sign(&header.to_string(), &claims(&rig).to_string());
        assert!(!rig.send(&token).await.body.contains("canary"), "{name}");
    }
}

fn claims(rig: &Rig) -> Value {
    let mut claims = rig.claims();
    claims["sub"] = "ada".into();
    claims
}

fn good(rig: &Rig) -> String {
    rig.signed(&claims(rig))
}

fn with_claim(rig: &Rig, name: &str, value: Value) -> String {
    let mut claims = claims(rig);
    claims[name] = value;
    rig.signed(&claims)
}

fn form(rig: &Rig, wrong: Wrong) -> Vec<u8> {
    let (claims, header) = (claims(rig), rig.header());
    let (claims, header) = (claims.as_object().unwrap(), header.as_object().unwrap());
    let sign = |header: &str, claims: &str| rig.signer.sign(header, claims);
    let (good_claims, good_header) = (text(claims), text(header));
    let token = match wrong {
        Claim(name, value) => sign(&good_header, &with(claims, name, value)),
        NoClaim(name) => sign(&good_header, &without(claims, name)),
        ClaimTwice(name, value) => sign(&good_header, &twice(claims, name, value)),
        Time(name, from_now) => {
            let time = rig.seconds().checked_add_signed(from_now).unwrap();
            sign(&good_header, &with(claims, name, &time.to_string()))
        }
        Claims(claims) => sign(&good_header, claims),
        Header(name, value) => sign(&with(header, name, value), &good_claims),
        NoHeader(name) => sign(&without(header, name), &good_claims),
        HeaderTwice(name, value) => sign(&twice(header, name, value), &good_claims),
        WholeHeader(header) => sign(header, &good_claims),
        Token(made) => made(rig, &good(rig)),
        Form(made) => return made(&good(rig)),
    };
    format!("logout_token={token}").into_bytes()
}

fn text(members: &Map<String, Value>) -> String {
    Value::Object(members.clone()).to_string()
}

fn without(members: &Map<String, Value>, name: &str) -> String {
    let mut members = members.clone();
    assert!(members.remove(name).is_some(), "{name} was there");
    text(&members)
}

/// Returns the object with a member replaced by JSON that is used as written.
fn with(members: &Map<String, Value>, name: &str, value: &str) -> String {
    let mut members = members.clone();
    members.remove(name);
    twice(&members, name, value)
}

fn twice(members: &Map<String, Value>, name: &str, value: &str) -> String {
    let text = text(members);
    format!(r#"{},"{name}":{value}}}"#, &text[..text.len() - 1])
}

fn rs256() -> String {
    let signer = Signer::new("1", Algorithm::Rs256);
    let claims = json!({"iss": "https://id.example", "aud": "shop", "sub": "ada", "iat": 1_700_000_000,
        "exp": 1_700_000_120, "jti": "1", "events": {EVENT: {}}});
    signer.sign(r#"{"alg":"RS256","kid":"1"}"#, &claims.to_string())
}

/// The provider's public key is not secret. As an HMAC key it would let anyone sign.
fn hs256(signer: &Signer, token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let input = format!("{}.{claims}", encoded(r#"{"alg":"HS256","kid":"1"}"#));
    let key = hmac::Key::new(hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
    format!("{input}.{}", encoded(hmac::sign(&key, input.as_bytes())))
}

fn own_key(rig: &Rig, token: &str) -> String {
    let own = Signer::new("own", Algorithm::Es256);
    let mut header = rig.header();
    header["jwk"] = own.jwk();
    let signed = format!(
        "{}.{}",
        encoded(header.to_string()),
        token.split('.').nth(1).unwrap()
    );
    format!("{signed}.{}", encoded(own.signature(signed.as_bytes())))
}

fn resigned(signer: &Signer, token: &str) -> String {
    let input = token.rsplit_once('.').unwrap().0;
    format!("{input}.{}", encoded(signer.signature(input.as_bytes())))
}

fn other_signature(rig: &Rig, token: &str) -> String {
    let other = with_claim(rig, "sub", "grace".into());
    let signature = other.rsplit_once('.').unwrap().1;
    format!("{}.{signature}", token.rsplit_once('.').unwrap().0)
}

fn json_serialization(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string()
}
